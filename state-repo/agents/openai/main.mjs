// One command a task: the task as JSON on stdin, the answer as JSON on stdout, what is only for the log on stderr.
// A stand-in without a model: the answer comes from runbooks.mjs.

import { text } from 'node:stream/consumers'
import { suggest } from './runbooks.mjs'

const task = JSON.parse(await text(process.stdin))
console.error(`attempt ${task.attempt}: ${task.prompt}`)
console.log(JSON.stringify(suggest(task.inputs ?? {})))
