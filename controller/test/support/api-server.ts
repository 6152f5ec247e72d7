import type { ApiServices } from '../../src/api/ports.ts'
import { type ApiDependencies, type ApiOptions, type ApiServer, createApiServer } from '../../src/api/server.ts'
import { KINDS } from '../../src/kinds/registry.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { fail } from '../../src/lib/error-catalogue.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import { type EventFeed, openEventFeed } from '../../src/store/events-feed.ts'
import { silentLogger } from '../../src/telemetry/logger.ts'
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts'
import { createTestStore, type TestStore } from './database.ts'

export const ADMIN_TOKEN = `swk_${'A'.repeat(43)}`
export const AGENT_TOKEN = `swa_${'B'.repeat(43)}`

/** The instance behind {@link AGENT_TOKEN}. */
export const AGENT = {
  type: 'agent',
  name: 'agent:default/sre',
  instanceId: '01900000-0000-7000-8000-0000000000a1',
  agentUid: '01900000-0000-7000-8000-0000000000a2',
  namespace: 'default',
  agent: 'sre',
} as const

export interface TestApi {
  readonly server: ApiServer
  readonly store: TestStore
  readonly feed: EventFeed
  readonly metrics: Metrics
  /** The first URL it listens on, when it was asked to listen. */
  readonly url: string
  readonly urls: readonly string[]
  stop(): Promise<void>
}

type Changes = Partial<{ [K in keyof ApiServices]: Partial<ApiServices[K]> }>

/** A real server on a real database; services that a test does not give refuse with SW_INTERNAL. */
export async function startApi(
  setup: {
    readonly options?: Partial<ApiOptions>
    readonly services?: Changes
    readonly checks?: ApiDependencies['checks']
    readonly loaded?: () => boolean
    readonly listen?: boolean
    readonly clock?: Clock
    /** A store that outlives this server: the process before it, or the next one, serves it too. */
    readonly store?: TestStore
    /** Messages as they are, on the store of this server. */
    readonly messages?: (store: TestStore, feed: EventFeed) => ApiServices['messages']
  } = {},
): Promise<TestApi> {
  const store = setup.store ?? (await createTestStore(setup.clock === undefined ? {} : { clock: setup.clock }))
  const feed = await openEventFeed(store)
  const metrics = createMetrics({ version: 'test', processMetrics: false })
  const server = await createApiServer(
    {
      port: 0,
      version: '0.0.0-test',
      auth: { mode: 'none', adminToken: ADMIN_TOKEN },
      graceMs: 1_000,
      ...setup.options,
    },
    {
      store,
      feed,
      metrics,
      services: servicesWith({
        ...setup.services,
        ...(setup.messages === undefined ? {} : { messages: setup.messages(store, feed) }),
      }),
      kinds: KINDS,
      checks: setup.checks ?? [],
      ...(setup.loaded === undefined ? {} : { loaded: setup.loaded }),
      log: silentLogger(),
    },
  )
  const { urls } = setup.listen === true ? await server.listen() : { urls: [] }
  return {
    server,
    store,
    feed,
    metrics,
    url: urls[0] ?? '',
    urls,
    async stop() {
      await server.close()
      await feed.close()
      if (setup.store === undefined) await store.end()
    },
  }
}

function servicesWith(changes: Changes): ApiServices {
  const missing = (): never => {
    throw fail('SW_INTERNAL', 'this test has no such service')
  }
  return {
    runs: {
      create: missing,
      createInline: missing,
      simulate: missing,
      runOperation: missing,
      cancel: missing,
      requeue: missing,
      retry: missing,
      rollback: missing,
      replay: missing,
      ...changes.runs,
    },
    drafts: { save: missing, validate: missing, promote: missing, ...changes.drafts },
    gates: { decide: missing, ...changes.gates },
    fleet: {
      state: async () => ({ frozen: false, by: null, reason: null, since: null, commit: null }),
      freeze: missing,
      unfreeze: missing,
      assertGoing: () => {},
      ...changes.fleet,
    },
    approvals: {
      held: async () => [],
      commit: async () => null,
      decide: missing,
      decideProposal: missing,
      ...changes.approvals,
    },
    repository: {
      commits: async (revisions) => revisions.map(() => null),
      change: async () => null,
      text: async () => null,
      ...changes.repository,
    },
    agents: {
      authenticate: async (token) => (token === AGENT_TOKEN ? AGENT : null),
      register: async (agent) => ({ agent_id: agent.agentUid, heartbeat_seconds: 30, spec: {} }),
      bind: missing,
      unbind: missing,
      heartbeat: async () => ({ interventions: [], drain: false }),
      pickup: async () => ({ interventions: [], tasks: [] }),
      complete: async (_agent, result) => ({ task_id: result.taskId, status: result.status }),
      ...changes.agents,
    },
    hosts: {
      authenticate: async () => null,
      createToken: missing,
      listTokens: async () => [],
      revokeToken: missing,
      join: missing,
      list: async () => [],
      get: missing,
      cordon: missing,
      uncordon: missing,
      drain: missing,
      remove: missing,
      begin: missing,
      heartbeat: missing,
      leave: missing,
      assignments: missing,
      ledger: missing,
      tree: missing,
      logPiece: missing,
      ...changes.hosts,
    },
    spawning: { spawn: missing, end: missing, ...changes.spawning },
    agentReaders: { page: missing, find: missing, countByHealth: missing, ...changes.agentReaders },
    tasks: {
      create: missing,
      cancel: missing,
      retry: missing,
      assign: missing,
      announce: missing,
      ...changes.tasks,
    },
    objects: { reconcile: missing, suspend: missing, resume: missing, ...changes.objects },
    drift: { enforce: missing, adopt: missing, ...changes.drift },
    interventions: {
      intervene: missing,
      answer: async (_agent, { interventionId }) => {
        throw fail('SW_NOT_FOUND', `there is no intervention ${interventionId}`)
      },
      ...changes.interventions,
    },
    sources: { sync: missing, approveDeletions: missing, ...changes.sources },
    proposals: {
      ...{ set: missing, create: missing, update: missing, remove: missing },
      ...{ propose: missing, reject: missing, merge: missing, diff: missing, heard: missing },
      ...changes.proposals,
    },
    forge: { receive: missing, ...changes.forge },
    git: { advertise: missing, fetch: missing, push: missing, ...changes.git },
    impressions: { record: missing, ...changes.impressions },
    artifacts: { create: missing, store: missing, read: missing, ...changes.artifacts },
    logs: { run: missing, task: missing, agent: missing, ...changes.logs },
    webhooks: { receive: missing, ...changes.webhooks },
    modelWire: { ask: missing, countTokens: missing, models: () => [], ...changes.modelWire },
    models: { providers: async () => [], explain: missing, ask: missing, ...changes.models },
    notifications: { test: missing, retry: missing, ...changes.notifications },
    tools: { invoke: missing, decide: missing, ...changes.tools },
    secrets: { named: async () => [], stores: async () => [], ...changes.secrets },
    eventTypes: { all: async () => [], find: async () => null, ...changes.eventTypes },
    work: { agentsWith: () => [], hasAgent: () => false, hasProject: () => false, ...changes.work },
    mcpServers: { lock: missing, beginLogin: missing, finishLogin: missing, ...changes.mcpServers },
    messages: {
      find: () => null,
      send: missing,
      deliver: missing,
      acknowledge: missing,
      redeliver: missing,
      pendingFor: async () => [],
      ...changes.messages,
    },
    views: {
      builtin: async () => [],
      capabilities: () => [],
      liveStatus: async () => new Map(),
      effective: () => null,
      ...changes.views,
    },
  }
}

export const asAdmin = { authorization: `Bearer ${ADMIN_TOKEN}`, 'x-stateward-user': 'ada' }
export const asAgent = { authorization: `Bearer ${AGENT_TOKEN}` }

export const newId = (): string => uuidv7()
