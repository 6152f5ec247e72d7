import { hostname } from 'node:os'
import type { Agents } from '../agents/agents.ts'
import type { Environment } from '../config/environment.ts'
import type { Config } from '../config/schema.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { fail } from '../lib/error-catalogue.ts'
import { CONTROLLER_LEASE } from '../reconcile/controller.ts'
import type { Accepted } from '../reconcile/sync/accept.ts'
import type { SourceSync } from '../reconcile/sync/source-sync.ts'
import type { World } from '../reconcile/world.ts'
import type { AcceptedBlueprint } from '../runs/ports.ts'
import { tryAcquireLease } from '../store/leases.ts'
import { KnownSecrets } from '../telemetry/known-secrets.ts'
import type { Logger } from '../telemetry/logger.ts'
import { type Core, openCore } from './core.ts'
import { followLeader } from './follower.ts'
import { makeAgents } from './host-agents.ts'
import { makeLeader } from './leader.ts'
import { makeModelAgents } from './model-agents.ts'
import { makeAlwaysLoaded, makeGateway, makeModelServers } from './models.ts'
import { followWake } from './process-wakes.ts'
import { listens, type Roles } from './roles.ts'
import { agentsUrl, type ServedApi, serveApi } from './serve-api.ts'
import { Shutdown } from './shutdown.ts'
import { type Standby, standBy } from './standby.ts'
import { makeWorker } from './worker.ts'

export interface StatewardOptions {
  readonly config: Config
  readonly environment: Environment
  readonly log: Logger
  /** A plain folder as the source, for `stateward dev`; null = the state repo of the configuration. */
  readonly directory: string | null
  readonly clock?: Clock
  /** What the log takes out of its lines. Default: its own, which the log knows nothing of. */
  readonly known?: KnownSecrets
  /** A start that takes long is cut short when this is aborted; `stop` is then up to the caller. */
  readonly ending?: AbortSignal
  /** The lease was lost: the process has to end. */
  readonly onLeaseLost: () => void
  /** It was to lead and could not: the process has to end, so that another leads. */
  readonly onFailure?: (error: unknown) => void
}

export interface Stateward {
  readonly roles: Roles
  /** Where the API is; '' without the role `api`. */
  readonly url: string
  /** Whether this process leads at this moment. */
  readonly leads: boolean
  /** What the first pass accepted; null when everything was as recorded, or another process leads. */
  readonly first: Accepted | null
  /** Throws while another process leads. */
  readonly sync: SourceSync
  readonly world: World
  readonly agents: Agents
  /** Everything that is queued has been looked at. */
  settled(): Promise<void>
  /** In order: no new work, journal, agents, last status, database. Called again, it waits for the first call. */
  stop(): Promise<void>
}

const STOP_AGENTS_MS = 5_000
/** For turns of models that are under way. */
const MODEL_TURN_MS = 2_000

/** Puts the parts together and starts them; what had been started is stopped again when a later part fails. */
export async function startStateward(options: StatewardOptions): Promise<Stateward> {
  const shutdown = new Shutdown(options.log)
  try {
    return await assemble(options, shutdown)
  } catch (error) {
    await shutdown.run()
    throw error
  }
}

async function assemble(options: StatewardOptions, shutdown: Shutdown): Promise<Stateward> {
  const { directory, clock = systemClock, known = new KnownSecrets(), ending = new AbortController().signal } = options
  const core = await openCore({ ...options, clock, known }, shutdown)
  const { roles, store, wakes, world, parts, phases } = core
  const accepted = new Map<string, AcceptedBlueprint>()
  let api: ServedApi | null = null
  let standby: Standby | null = null
  const agents = makeAgents(core, () => api?.local ?? agentsUrl(core))
  const worker = roles.has('worker') ? makeWorker(core) : null
  parts.agents = agents
  await core.freeze.start()
  shutdown.add('freeze watch', async () => core.freeze.stop())
  parts.modelServers = makeModelServers(core)
  parts.alwaysLoaded = makeAlwaysLoaded(core, parts.modelServers)
  parts.gateway = makeGateway(core, parts.modelServers)
  parts.modelAgents = worker === null ? null : makeModelAgents(core)
  parts.engine = worker?.engine ?? null
  core.metrics.stateward.leader(false)

  // Added in reverse of the order in which they stop.
  shutdown.add('server address', async () => await api?.forget())
  shutdown.add('reconcile loop', async () => await parts.leader?.stop())
  shutdown.add('agents', () => endAgents(core, agents))
  shutdown.add('model servers', async () => await parts.modelServers?.stop())
  shutdown.add('texts of models', async () => await parts.gateway?.settled())
  shutdown.add('agents that are models', async () => await parts.modelAgents?.stop(MODEL_TURN_MS))
  shutdown.add('run engine', async () => await worker?.stop())
  shutdown.add('intake of runs', async () => await parts.leader?.close())
  shutdown.add('standby', async () => await standby?.stop())
  shutdown.add('API', async () => await api?.close())

  const leads = roles.has('controller') && (await tryAcquireLease(store, CONTROLLER_LEASE))
  const follower = leads ? null : await followLeader(core, accepted)
  if (follower !== null) shutdown.add('follower', () => follower.stop())
  if (leads) parts.leader = await makeLeader(core, directory, accepted)
  if (listens(roles)) api = await serveApi(core, accepted)
  const first = (await parts.leader?.start(ending)) ?? null
  phases.reached('rest')
  phases.reached('streams')
  wakes.subscribe((wake) => followWake(wake, parts))
  parts.leader?.open()
  await core.processes.recover()
  await core.toolCalls.recover()
  worker?.start()
  parts.modelAgents?.start()
  phases.reached('worker')
  await announceStart(core)
  if (follower !== null && roles.has('controller')) {
    const failed = options.onFailure ?? (() => {})
    standby = standBy(core, { follower, accepted, directory, failed })
  }
  return {
    roles,
    url: api?.url ?? '',
    get leads() {
      return parts.leader?.hasStarted() === true
    },
    first,
    get sync() {
      if (parts.leader === null) throw fail('SW_NO_LEADER', 'this process does not lead')
      return parts.leader.sync
    },
    world,
    agents,
    settled: async () => await parts.leader?.controller.settled(),
    stop: () => shutdown.run(),
  }
}

/** Agents of a process that was replaced are its successor's. */
async function endAgents({ config, store }: Core, agents: Agents): Promise<void> {
  if (config.keepAgents || store.writer.isLost) await agents.abandon()
  else await agents.stopAll({ graceMs: STOP_AGENTS_MS })
}

/** Says on every stream that the bus is there again. A process without streams says nothing. */
async function announceStart({ roles, store, feed, phases, clock }: Core): Promise<void> {
  if (roles.has('api')) {
    feed.nudge(await store.intake.append(phases.event({ id: store.writer.id, host: hostname() }, clock.now())))
  }
  phases.reached('announced')
}
