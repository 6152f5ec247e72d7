// A daemon over the bus. It lives as long as the agent does, also while the API restarts; TERM lets it finish its task.

import { connect, InstanceEnded, sleep } from './bus.mjs'
import { createTriage } from './triage.mjs'

const log = (line) => console.log(`${new Date().toISOString()} ${line}`)

function setting(name) {
  const value = process.env[name]
  if (value) return value
  console.error(`${name} is not set: this program is started by Stateward`)
  process.exit(78)
}

const bus = connect(
  {
    url: setting('STATEWARD_URL'),
    token: setting('STATEWARD_TOKEN'),
    agent: setting('STATEWARD_AGENT'),
    namespace: setting('STATEWARD_NAMESPACE'),
    instance: setting('STATEWARD_INSTANCE'),
  },
  log,
)
const triage = createTriage()
const PAUSE_MS = 1000
/** Tasks under way: heartbeats that name them renew their leases. */
const busy = new Set()
/** Ends the waiting for tasks; what was picked up is still done. */
const stopping = new AbortController()
/** Ends everything: the instance is not ours any more. */
const ended = new AbortController()

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    log(`${signal}: no new tasks`)
    stopping.abort(new Error(signal))
  })
}

async function work(task) {
  busy.add(task.task_id)
  try {
    log(`task ${task.task_id}, attempt ${task.attempt}: ${task.prompt}`)
    const result = resultOf(task)
    const counted = await bus.report(task, result, ended.signal)
    log(
      `task ${task.task_id} ${counted ? result.status : 'went to somebody else'}${result.output ? `: ${result.output.summary}` : ''}`,
    )
  } finally {
    busy.delete(task.task_id)
  }
}

function resultOf(task) {
  try {
    return { status: 'completed', output: triage(task.inputs) }
  } catch (error) {
    return { status: 'failed', error: { code: 'bad_alert', message: error.message, retryable: false } }
  }
}

async function heartbeats(seconds) {
  while (!ended.signal.aborted) {
    try {
      const { drain } = await bus.heartbeat([...busy], AbortSignal.any([ended.signal, AbortSignal.timeout(10_000)]))
      if (drain && !stopping.signal.aborted) {
        log('asked to drain: no new tasks')
        stopping.abort(new Error('drain'))
      }
    } catch (error) {
      if (error.status === 401 || error.status === 403) ended.abort(new InstanceEnded(error.message))
      else if (!ended.signal.aborted) log(`a heartbeat was lost: ${error.cause?.code ?? error.message}`)
    }
    await sleep(seconds * 1000, ended.signal).catch(() => undefined)
  }
}

async function main() {
  const start = AbortSignal.any([stopping.signal, ended.signal])
  const { heartbeat_seconds: seconds } = await bus.register(start)
  log(`registered; a heartbeat every ${seconds} s`)
  void heartbeats(seconds)
  while (!stopping.signal.aborted) {
    const askedAt = Date.now()
    const tasks = await bus.pickup(start)
    for (const task of tasks) await work(task)
    // A server that is about to stop does not let anybody wait: it must not be asked as fast as it answers.
    if (tasks.length === 0 && Date.now() - askedAt < PAUSE_MS) await sleep(PAUSE_MS, start)
  }
}

try {
  await main()
} catch (error) {
  if (error instanceof InstanceEnded || ended.signal.aborted) log(`the instance has ended: ${error.message}`)
  else if (!stopping.signal.aborted) {
    console.error(error)
    process.exitCode = 1
  }
}
ended.abort(new Error('the end'))
log('stopped')
