// One command a task: the task as JSON on stdin, the answer as JSON on stdout, what is only for the log on stderr.
// The word behind the program says which role answers. All of them work by rules, without a model and without a network.

import { text } from 'node:stream/consumers'
import { decide } from './brain.mjs'
import { watch } from './governor.mjs'
import { orchestrate } from './orchestrator.mjs'
import { look } from './worker.mjs'

const ROLES = { orchestrator: orchestrate, governor: watch, brain: decide, worker: look }
const [word] = process.argv.slice(2)
const role = Object.hasOwn(ROLES, word) ? ROLES[word] : null

const task = JSON.parse(await text(process.stdin))
console.error(`${word}, attempt ${task.attempt}: ${task.prompt}`)
try {
  if (role === null) throw new Error(`there is no role "${word}", only ${Object.keys(ROLES).join(', ')}`)
  console.log(JSON.stringify(role(task.inputs ?? {})))
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
