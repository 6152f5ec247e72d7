import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Agents } from '../../src/agents/agents.ts'
import { type AgentSettings, type AgentsContext, DEFAULT_SETTINGS, type PodsContext } from '../../src/agents/context.ts'
import { authenticate, complete, heartbeat, pickup, register } from '../../src/agents/daemon-protocol.ts'
import type { Placements } from '../../src/agents/ports.ts'
import { enqueueTask } from '../../src/agents/tasks.ts'
import { type PlaceableHost, place } from '../../src/hosts/placement.ts'
import { StatewardError } from '../../src/lib/errors.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { NewTask } from '../../src/store/queries/tasks.ts'
import { type TaskRow, taskById } from '../../src/store/queries/tasks.ts'
import { transact } from '../../src/store/transact.ts'
import { assertCatalogued } from './assert-events.ts'
import { createTestStore, type TestStore } from './database.ts'
import { recordingLog } from './quiet-log.ts'
import { secretsFrom } from './secrets.ts'

/** The one host there is. */
export interface TestHost {
  name: string
  labels: Record<string, string>
  slots: number
  unschedulable: boolean
}

/** Places everything on that host, as far as it may be there; nothing is kept. */
function onOneHost(host: TestHost): Placements {
  const obstacles = new Map<string, ReturnType<typeof place>['obstacle']>()
  const used = new Map<string, number>()
  return {
    async place({ uid, spec, suspended, deleting }) {
      const mode = spec.runtime.process.mode
      used.delete(uid)
      const slots = [...used.values()].reduce((sum, one) => sum + one, 0)
      const placeable: PlaceableHost = {
        ...host,
        connected: true,
        draining: false,
        schedulable: !host.unschedulable,
        unfit: host.unschedulable ? 'is unschedulable' : null,
        memory: null,
        committed: { slots, memory: 0, replicas: 0 },
      }
      const selector = spec.hostSelector?.matchLabels ?? {}
      const agent = {
        replicas: spec.replicas,
        mode,
        slots: spec.resources.slots,
        memory: 0,
        selector,
        bulk: false,
        preferred: null,
        suspended,
      }
      const { hosts, obstacle } = place(agent, new Map(), new Map(), [placeable])
      if (mode === 'daemon' && !deleting) used.set(uid, hosts.size * spec.resources.slots)
      obstacles.set(uid, obstacle)
      return [...hosts.keys()]
    },
    hindrance: async (uid) => ({ held: [], obstacle: obstacles.get(uid) ?? null }),
    forget: async (uid) => void used.delete(uid),
  }
}

/** A controller's agents on a database and data folder of their own, with the bus on a real port. */
export interface TestFleet {
  readonly store: TestStore
  readonly dataDir: string
  readonly agents: Agents
  readonly nudged: string[]
  readonly logLines: ReturnType<typeof recordingLog>['lines']
  readonly host: TestHost
  readonly secrets: Map<string, string>
  /** Leaves every process and starts a controller anew on the same database and data. */
  restart(settings?: Partial<AgentSettings>): Promise<void>
  /** A file below the data folder. */
  write(path: string, text: string): string
  enqueue(task?: Partial<NewTask>): Promise<string>
  task(taskId: string): Promise<TaskRow>
  events(name: string): Promise<{ data: Record<string, unknown> }[]>
  end(): Promise<void>
}

export async function startTestFleet(
  settings: Partial<AgentSettings> = {},
  pods: PodsContext | null = null,
): Promise<TestFleet> {
  const { log, lines } = recordingLog()
  const store = await createTestStore({ log })
  const dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'stateward-agents-')))
  const host = { name: 'local', labels: { zone: 'here' }, slots: 10, unschedulable: false }
  const secrets = new Map<string, string>()
  const nudged: string[] = []
  let agents: Agents
  const bus = await startBus(() => agents)
  const make = (more: Partial<AgentSettings>): Agents => {
    const context: AgentsContext = {
      store,
      clock: store.clock,
      log,
      dataDir,
      url: () => bus.url,
      inherited: { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8' },
      nodeFolder: dirname(process.execPath),
      localHost: () => host,
      secrets: secretsFrom(secrets),
      writeTree: async (tree, folder) => writeFileSync(join(folder, 'tree.txt'), tree),
      placements: onOneHost(host),
      databaseUrl: () => null,
      isDatabaseHost: async () => false,
      pods,
      nudgeRun: (runId) => nudged.push(runId),
      interventions: { tell: async () => ({ all: [], fresh: 0 }) },
      settings: { ...DEFAULT_SETTINGS, tickMs: 50, killAfterMs: 1000, ...settings, ...more },
    }
    return new Agents(context)
  }
  agents = make({})
  await agents.start()
  return {
    store,
    dataDir,
    host,
    secrets,
    nudged,
    logLines: lines,
    get agents() {
      return agents
    },
    async restart(more = {}) {
      await agents.abandon()
      agents = make(more)
      await agents.start()
    },
    write(path, text) {
      const file = join(dataDir, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text, { mode: 0o700 })
      return file
    },
    async enqueue(task = {}) {
      const row: NewTask = {
        task_id: uuidv7(),
        namespace: 'default',
        agent: 'sre',
        run_id: null,
        step_id: null,
        path: null,
        prompt: 'do it',
        inputs: {},
        output_schema: null,
        deadline: null,
        keep_workspace: false,
        correlation_id: 'c',
        created_at: store.clock.now(),
        ...task,
      }
      await transact(store, (tx) => enqueueTask(tx, store, row))
      agents.taskQueued(row.namespace, row.agent)
      return row.task_id
    },
    task: async (id) => (await taskById(store.engine, id))!,
    events: async (name) => store.reader`SELECT data FROM events WHERE event_name = ${name} ORDER BY seq`,
    async end() {
      await agents.stopAll({ graceMs: 300 })
      await bus.close()
      try {
        await assertCatalogued(store.reader)
      } finally {
        await store.end()
      }
      removeFolder(dataDir)
    },
  }
}

/** Removes a folder with read-only folders in it. */
export function removeFolder(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), 0o700)
  }
  rmSync(folder, { recursive: true, force: true })
}

/** Polls until `probe` gives something; it says what was awaited when it never does. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  ms = 15_000,
): Promise<T> {
  const end = performance.now() + ms
  for (;;) {
    const found = await probe()
    if (found) return found
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`)
    await delay(20)
  }
}

/** The routes of the daemon protocol, as thin as they can be. */
async function startBus(agents: () => Agents): Promise<{ url: string; close(): Promise<void> }> {
  const answer = async (request: IncomingMessage): Promise<unknown> => {
    const { fleet } = agents()
    const instance = await authenticate(fleet, request.headers.authorization?.replace('Bearer ', '') ?? '')
    if (instance === null) return { code: 'unauthenticated' }
    const body = JSON.parse(await textOf(request))
    if (request.url!.endsWith('/register')) return register(fleet, instance, body)
    if (request.url!.endsWith('/heartbeat')) return heartbeat(fleet, instance, body)
    if (request.url!.endsWith('/pickup'))
      return (await pickup(fleet, instance, body, new AbortController().signal)) ?? { tasks: [] }
    return complete(fleet, instance, request.url!.split('/').at(-1)!, body)
  }
  const server = createServer((request, reply) => {
    answer(request).then(
      (value) => reply.end(JSON.stringify(value)),
      (error: unknown) => {
        reply.statusCode = error instanceof StatewardError ? error.status : 500
        reply.end(JSON.stringify({ code: error instanceof StatewardError ? error.code : String(error) }))
      },
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

/** A daemon that registers, reports, and answers each task with its prompt in capitals. */
export const DAEMON = `
const { STATEWARD_URL: url, STATEWARD_TOKEN: token, STATEWARD_INSTANCE: instance_id } = process.env
const call = async (method, path, body) => {
  for (;;) {
    try {
      const reply = await fetch(url + path, { method, headers: { authorization: 'Bearer ' + token }, body: JSON.stringify({ instance_id, ...body }) })
      if (reply.status < 500) return await reply.json()
    } catch {}
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
const { agent_id } = await call('POST', '/api/v1/agents/register', { protocol: 1 })
console.log('registered with ' + token + ' and ' + process.env.KEY)
let tasks = []
setInterval(() => call('POST', '/api/v1/agents/' + agent_id + '/heartbeat', { status: 'idle', tasks }), 100)
for (;;) {
  const picked = await call('POST', '/api/v1/agents/' + agent_id + '/pickup', { max: 1, wait_seconds: 1 })
  for (const task of picked.tasks ?? []) {
    tasks = [task.task_id]
    await new Promise((resolve) => setTimeout(resolve, task.inputs.ms ?? 0))
    await call('PATCH', '/api/v1/tasks/' + task.task_id, { attempt: task.attempt, status: 'completed', output: { text: task.prompt.toUpperCase() } })
    tasks = []
  }
}
`
