// One command a task: has the command line of a coding agent do it, and answers in one form whichever it was.
// main.mjs <claude|codex|gemini|aider|opencode> [more arguments for it …]

import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { CLIS } from './clis.mjs'
import { jsonIn, reportCost, workingFolder } from './task.mjs'

/** Worth another attempt: the task goes back to the queue. */
const RETRY = 75
const TRANSIENT = /rate.?limit|overloaded|too many requests|\b(429|500|502|503|529)\b|ECONNRESET|ETIMEDOUT|EAI_AGAIN/i
/** Of the patch in the answer. */
const MOST_PATCH = 256 * 1024

const [name, ...more] = process.argv.slice(2)
const cli = CLIS[name]
if (cli === undefined) {
  console.error(`there is no ${name}: it is ${Object.keys(CLIS).join(', ')}`)
  process.exit(64)
}
const task = JSON.parse(await text(process.stdin))

try {
  const folder = await workingFolder(task.inputs ?? {})
  const { command, input } = await cli.prepare({ task, folder, more })
  const ended = await run(command, input, folder)
  const answer = cli.read(ended.stdout)
  await reportCost(task, name, answer)
  if (ended.code !== 0 || answer.error !== undefined)
    fail(answer.error ?? (ended.stderr.trim().slice(-2000) || `${name} ended with exit code ${ended.code}`))
  else await print(answer, folder)
} catch (error) {
  fail(error.code === 'ENOENT' ? `${name} is not installed on this host` : error.message)
}

function fail(message) {
  console.error(`${name}: ${message}`)
  process.exitCode = TRANSIENT.test(message) ? RETRY : 1
}

async function print(answer, folder) {
  if (task.output_schema != null) {
    const value = answer.structured ?? jsonIn(answer.text)
    if (value === undefined) return fail('the answer holds no JSON, and the step asks for it')
    console.log(JSON.stringify(value))
    return
  }
  const { stdout: patch, code } = await run(['git', 'diff', 'HEAD'], '', folder).catch(() => ({ stdout: '', code: 1 }))
  const changed = code === 0 && patch !== '' ? { patch: patch.slice(0, MOST_PATCH) } : {}
  const { text: said, session, usage, costUsd } = answer
  console.log(
    JSON.stringify({
      text: said,
      ...(session === undefined ? {} : { session }),
      ...(usage === undefined ? {} : { usage }),
      ...(costUsd === undefined ? {} : { cost_usd: costUsd }),
      ...changed,
    }),
  )
}

/** What it says on its standard error is the task's log as it comes. */
function run([program, ...args], input, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'] })
    const [stdout, stderr] = [[], []]
    child.stdout.on('data', (chunk) => stdout.push(chunk))
    child.stderr.on('data', (chunk) => {
      stderr.push(chunk)
      process.stderr.write(chunk)
    })
    // One that reads nothing closes its input: what it answers counts.
    child.stdin.on('error', () => undefined)
    child.once('error', reject)
    child.once('close', (code, signal) =>
      resolve({
        code: code ?? `signal ${signal}`,
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8'),
      }),
    )
    child.stdin.end(input)
  })
}
