// One command a task: has the command line of a coding agent do it, and answers in one form whichever it was.
// main.mjs <claude|codex|gemini|aider|opencode> [more arguments for it …]

import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { CLIS } from './clis.mjs'
import { changesIn, jsonIn, reportCost, workingFolder } from './task.mjs'

/** Worth another attempt: the task goes back to the queue. */
const RETRY = 75
const TRANSIENT = /rate.?limit|overloaded|too many requests|\b(429|500|502|503|529)\b|ECONNRESET|ETIMEDOUT|EAI_AGAIN/i

const [name, ...more] = process.argv.slice(2)
const cli = CLIS[name]
if (cli === undefined) {
  console.error(`there is no ${name}: it is ${Object.keys(CLIS).join(', ')}`)
  process.exit(64)
}
const task = JSON.parse(await text(process.stdin))

try {
  const { folder, base } = await workingFolder(task.inputs ?? {})
  const bus =
    cli.keys.length > 0 && process.env.STATEWARD_URL !== undefined && cli.keys.every((key) => !process.env[key])
  const { command, input, env } = await cli.prepare({ task, more, bus })
  const ended = await run(command, input, folder, env)
  const answer = cli.read(ended.stdout, ended.stderr)
  // What was asked of Stateward's models is in the ledger, call by call.
  if (bus) delete answer.costUsd
  else await reportCost(task, name, answer)
  if (ended.code !== 0 || answer.error !== undefined)
    fail(answer.error ?? (ended.stderr.trim().slice(-2000) || `${name} ended with exit code ${ended.code}`))
  else await print(answer, folder, base)
} catch (error) {
  fail(error.code === 'ENOENT' ? `${name} is not installed on this host` : error.message)
}

function fail(message) {
  console.error(`${name}: ${message}`)
  process.exitCode = TRANSIENT.test(message) ? RETRY : 1
}

async function print(answer, folder, base) {
  if (task.output_schema != null) {
    const value = answer.structured ?? jsonIn(answer.text)
    if (value === undefined) return fail('the answer holds no JSON, and the step asks for it')
    console.log(JSON.stringify(value))
    return
  }
  const { text: said, session, usage, costUsd } = answer
  console.log(
    JSON.stringify({
      text: said,
      ...(session === undefined ? {} : { session }),
      ...(usage === undefined ? {} : { usage }),
      ...(costUsd === undefined ? {} : { cost_usd: costUsd }),
      ...(await changesIn(folder, base)),
    }),
  )
}

/** What it says on its standard error is the task's log as it comes. */
function run([program, ...args], input, cwd, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, PWD: cwd, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
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
