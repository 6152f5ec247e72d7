import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '../../controller/src/store/database.ts'
import { type MeasuredProcess, startMeasured } from '../support/child-process.ts'
import { machineSeconds } from '../support/clock.ts'
import { cpuSecondsOfTree } from '../support/cpu-time.ts'
import { proportionalMemory } from '../support/process-memory.ts'
import type { Load, LoadResult } from './http-load.ts'
import type { ServerAnswer, ServerOrder, Subject } from './server.ts'
import type { StreamFigures, StreamOrder } from './stream-load.ts'

const SERVER = new URL('./server.ts', import.meta.url)
const HTTP_LOAD = new URL('./http-load.ts', import.meta.url)
const STREAM_LOAD = new URL('./stream-load.ts', import.meta.url)

/** Seconds of processor time that the server spent on something, beside what came of it. */
export async function withCpu<T>(
  server: Server,
  work: () => Promise<T>,
): Promise<T & { readonly cpu_seconds: number | null }> {
  const before = cpuSecondsOfTree(server.process.pid)
  const result = await work()
  const after = cpuSecondsOfTree(server.process.pid)
  return { ...result, cpu_seconds: before === null || after === null ? null : after - before }
}

export interface Server extends ServerAnswer {
  readonly process: MeasuredProcess
  stop(): Promise<void>
}

export async function startServer(order: ServerOrder): Promise<Server> {
  const started = startMeasured(SERVER)
  const answered = await started.ask<ServerAnswer>(order)
  return {
    ...answered,
    process: started,
    async stop() {
      process.kill(started.pid, 'SIGTERM')
      await started.ended()
    },
  }
}

/** Sends requests from a process of its own. */
export async function load(order: Load): Promise<LoadResult> {
  const client = startMeasured(HTTP_LOAD)
  try {
    return await client.ask<LoadResult>(order)
  } finally {
    process.kill(client.pid, 'SIGTERM')
    await client.ended()
  }
}

const EVENT = '{"event_name":"bench.event","data":{"host":"web-1","n":$n}}'
const MESSAGE = '{"to":{"agent":"sink"},"body":"Please look at nginx on web-1, number $n.","data":{"n":$n}}'

/** What is posted to whom. */
export const POSTS: Readonly<
  Record<string, { readonly subject: Subject; readonly path: string; readonly body: string }>
> = {
  floor_insert: { subject: 'insert', path: '/rows', body: EVENT },
  floor_coalesced: { subject: 'coalesced', path: '/rows', body: EVENT },
  post_event: { subject: 'stateward', path: '/api/v1/events', body: EVENT },
  post_message: { subject: 'stateward', path: '/api/v1/messages', body: MESSAGE },
}

export const bearer = (token: string): Record<string, string> =>
  token === '' ? {} : { authorization: `Bearer ${token}` }

export interface StreamRun {
  readonly clients: number
  readonly eventsPerSecond: number
  readonly seconds: number
}

/** Clients of one stream, and what reaches them while events are sent at a steady rate. */
export async function measureStreams(server: Server, run: StreamRun) {
  const tokens = await Promise.all(
    Array.from({ length: Math.ceil(run.clients / 100) }, (_, i) => newKey(server, `ui-${i}`)),
  )
  const readers = startMeasured(STREAM_LOAD)
  const ask = (order: StreamOrder) => readers.ask<StreamFigures>(order)
  try {
    await ask({ kind: 'open', url: server.url, tokens, clients: run.clients })
    await emitSteadily(server, { ...run, seconds: 5 })
    await delay(500)
    await ask({ kind: 'figures' })
    const before = proportionalMemory(server.process.pid)
    const { sent, cpu_seconds } = await withCpu(server, async () => ({ sent: await emitSteadily(server, run) }))
    await delay(1_000)
    const figures = await ask({ kind: 'figures' })
    const after = proportionalMemory(server.process.pid)
    return {
      ...figures,
      sent,
      cpu_seconds,
      expected: sent * run.clients,
      memory_before_bytes: before,
      memory_after_bytes: after,
    }
  } finally {
    process.kill(readers.pid, 'SIGTERM')
    await readers.ended()
  }
}

async function newKey(server: Server, name: string): Promise<string> {
  const response = await fetch(`${server.url}/api/v1/keys`, {
    method: 'POST',
    headers: { ...bearer(server.token), 'content-type': 'application/json' },
    body: JSON.stringify({ name, roles: ['viewer'] }),
  })
  if (!response.ok) throw new Error(await response.text())
  return ((await response.json()) as { token: string }).token
}

/** Events that say when they were sent, one every so often; resolves with how many. */
async function emitSteadily(server: Server, run: StreamRun): Promise<number> {
  const begin = machineSeconds()
  const total = run.eventsPerSecond * run.seconds
  const answers: Promise<unknown>[] = []
  for (let n = 0; n < total; n++) {
    const due = begin + n / run.eventsPerSecond
    const ahead = due - machineSeconds()
    if (ahead > 0) await delay(ahead * 1000)
    answers.push(
      fetch(`${server.url}/api/v1/events`, {
        method: 'POST',
        headers: { ...bearer(server.token), 'content-type': 'application/json' },
        body: `{"event_name":"bench.tick","data":{"sent_at_s":${machineSeconds()}}}`,
      }).then((response) => response.arrayBuffer()),
    )
  }
  await Promise.all(answers)
  return total
}

/** Tasks that waiting agents take one by one, several at once. */
export async function measurePickup(
  server: Server,
  databaseUrl: string,
  run: { readonly seconds: number; readonly connections: number; readonly tasks: number },
): Promise<LoadResult & { readonly taken: number }> {
  const sql = connect(databaseUrl, { max: 1, applicationName: 'bench pickup', namedStatements: false })
  try {
    const instances = await livingInstances(sql)
    const callers = await Promise.all(
      instances.map(async ({ id, token }) => {
        const headers = bearer(token)
        const response = await fetch(`${server.url}/api/v1/agents/register`, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify({ instance_id: id, protocol: 1 }),
        })
        if (!response.ok) throw new Error(await response.text())
        return { headers, body: JSON.stringify({ instance_id: id, max: 1 }) }
      }),
    )
    await sql`
      INSERT INTO tasks (task_id, namespace, agent, status, prompt, inputs, correlation_id, created_at)
      SELECT gen_random_uuid(), 'default', 'picker', 'queued', 'work', '{}', 'bench', now() + n * interval '1 microsecond'
      FROM generate_series(1, ${run.tasks}) AS s (n)`
    const result = await load({
      url: server.url,
      path: '/api/v1/agents/picker/pickup',
      callers,
      status: 200,
      connections: run.connections,
      warmupSeconds: 1,
      seconds: run.seconds,
    })
    const [taken] = await sql<{ count: number }[]>`SELECT count(*)::int AS count FROM tasks WHERE status <> 'queued'`
    return { ...result, taken: taken!.count }
  } finally {
    await sql.end()
  }
}

/** Agents that stand still in this bench: their tokens are what their processes were started with. */
async function livingInstances(sql: ReturnType<typeof connect>): Promise<{ id: string; token: string }[]> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const rows = await sql<{ id: string; pid: number | null }[]>`
      SELECT id, pid FROM instances WHERE agent = 'picker' AND ended_at IS NULL`
    const found = rows.flatMap(({ id, pid }) => {
      const token = pid === null ? null : tokenOf(pid)
      return token === null ? [] : [{ id, token }]
    })
    if (found.length > 0 && found.length === rows.length) return found
    await delay(100)
  }
  throw new Error('the agents of the bench did not start')
}

function tokenOf(pid: number): string | null {
  try {
    return /(?:^|\0)STATEWARD_TOKEN=([^\0]*)/.exec(readFileSync(`/proc/${pid}/environ`, 'utf8'))?.[1] ?? null
  } catch {
    return null
  }
}
