import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { redactor } from '../agents/redaction.ts'
import { type Front, openFront } from '../api/http/front.ts'
import type { ServerCertificate } from '../api/tls/certificates.ts'
import type { Environment } from '../config/environment.ts'
import type { Config } from '../config/schema.ts'
import type { DeclaredEventTypes } from '../events/declared-types.ts'
import type { Clock } from '../lib/clock.ts'
import { parseDuration } from '../lib/duration.ts'
import { packageVersion } from '../lib/package-root.ts'
import { McpConnections } from '../mcp/connections.ts'
import type { Forge } from '../proposals/forges/ports.ts'
import { World } from '../reconcile/world.ts'
import type { ArtifactDeps } from '../records/artifacts/artifacts.ts'
import { contentFiles } from '../records/artifacts/content-files.ts'
import { toolArtifacts } from '../records/artifacts/of-tools.ts'
import { largeValues, type Values } from '../records/artifacts/values.ts'
import type { EnvironmentOf } from '../runs/ports.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { acquireDataLock, shareDataFolder } from '../store/embedded/data-lock.ts'
import { type EventFeed, openEventFeed } from '../store/events-feed.ts'
import { Journal } from '../store/journal.ts'
import { openStore, type Store } from '../store/store.ts'
import { openWakes, type Wakes } from '../store/wakes.ts'
import type { KnownSecrets } from '../telemetry/known-secrets.ts'
import type { Logger } from '../telemetry/logger.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import type { ToolCalls } from '../tools/calls/tool-calls.ts'
import type { ToolRunner } from '../tools/ports.ts'
import type { ProcessKeeper } from '../tools/process/running/running-programs.ts'
import { heedingRateLimits } from '../tools/rate-limit.ts'
import { findSandbox, type Sandbox } from '../tools/sandbox/sandbox.ts'
import { openUndoStore } from '../tools/undo/undo-store.ts'
import { agentTargets } from './agent-targets.ts'
import { heedingBreakers, networkOf, rateLimits, toolRegistry } from './builtin-tools.ts'
import { type DataFolder, dataFolder } from './data-folder.ts'
import { openDatabase } from './database.ts'
import { declaredEventTypes } from './declared-event-types.ts'
import { draftsOfTools } from './draft-tools.ts'
import { openForge } from './forge.ts'
import { FreezeWatch } from './freeze.ts'
import { certificateOf, listenOf } from './listening.ts'
import { gatewayOfTools } from './llm-tool.ts'
import { mcpCaller } from './mcp.ts'
import { oauthParts } from './mcp-logins.ts'
import { mcpPrograms } from './mcp-programs.ts'
import { observeTransition } from './metrics.ts'
import type { Parts } from './parts.ts'
import { openPolicies, type Policies } from './policies.ts'
import { guardedSecrets } from './policy-guards.ts'
import { type Announcements, announcements } from './process-wakes.ts'
import { leaseOf, listens, maxRunsOf, type Roles, rolesOf } from './roles.ts'
import { makeSecrets } from './secrets.ts'
import type { Shutdown } from './shutdown.ts'
import { StartPhases } from './start-phases.ts'
import { toolCallsOf, undoFolderOf } from './tool-calls.ts'
import { endProcesses, processesOfTools } from './tool-processes.ts'
import { environmentOf } from './world-views.ts'

/** How long the end waits for what is being written. */
const JOURNAL_MS = 3000

/** What a process has whatever its roles are. */
export interface Core {
  readonly config: Config
  readonly roles: Roles
  readonly environment: Environment
  readonly log: Logger
  readonly clock: Clock
  readonly folder: DataFolder
  readonly metrics: Metrics
  readonly store: Store
  readonly feed: EventFeed
  readonly wakes: Wakes
  /** What makes and moves runs in this process writes here. */
  readonly journal: Journal
  /** What was accepted last: the leader writes it, every other process follows. */
  readonly world: World
  /** Whether the fleet is halted. */
  readonly freeze: FreezeWatch
  readonly environments: EnvironmentOf
  readonly policies: Policies
  /** Null = none is configured. */
  readonly forge: Forge | null
  readonly secrets: Secrets
  /** Every secret this process looked up; taken out of whatever it writes. */
  readonly known: KnownSecrets
  /** Servers of tools that this process speaks with. */
  readonly mcp: McpConnections
  readonly tools: ToolRunner
  /** Calls of tools outside of steps. */
  readonly toolCalls: ToolCalls
  /** Programs of tools that go on after their call. */
  readonly processes: ProcessKeeper
  readonly eventTypes: DeclaredEventTypes
  readonly artifacts: ArtifactDeps
  /** What is too large for an event. */
  readonly values: Values
  readonly announce: Announcements
  /** What this process has of each role at this moment. */
  readonly parts: Parts
  /** Where this process listens; null without the role `api`. */
  readonly front: Front | null
  /** What the listener over TLS shows; null = there is none. */
  readonly certificate: ServerCertificate | null
  readonly phases: StartPhases
}

/** Opens the data folder and the database and registers the process. What was opened is added to `shutdown`. */
export async function openCore(
  options: {
    readonly config: Config
    readonly environment: Environment
    readonly log: Logger
    readonly clock: Clock
    readonly known: KnownSecrets
    readonly onLeaseLost: () => void
  },
  shutdown: Shutdown,
): Promise<Core> {
  const { config, environment, log, clock, known, onLeaseLost } = options
  const roles = rolesOf(config)
  const folder = dataFolder(config.data)
  // The embedded database has one process; on another one, processes of a machine share the folder.
  const lock = config.database.url === null ? acquireDataLock(config.data) : shareDataFolder(config.data)
  shutdown.add('data folder', async () => lock.release())
  const certificate = listens(roles) ? await certificateOf(config, folder.root, clock.now()) : null
  const front = listens(roles) ? await openFront(listenOf(config, certificate), log) : null
  shutdown.add('listeners', async () => await front?.close(0))
  const phases = new StartPhases(clock, log)
  const database = await openDatabase(config, roles, phases, log)
  shutdown.add('database server', () => database.stop())
  const store = await openStore(database.urls, {
    clock,
    roles: [...roles],
    host: hostname(),
    dataDirLocked: database.embedded !== null,
    onLeaseLost,
    log,
    leaseMs: leaseOf(config),
    maxRuns: maxRunsOf(config, roles),
    version: packageVersion(),
  })
  shutdown.add('store', () => store.end())
  const feed = await openEventFeed(store)
  shutdown.add('event feed', () => feed.close())
  const wakes = await openWakes(store)
  shutdown.add('wakes', () => wakes.close())

  const world = new World(() => clock.now())
  const environments = environmentOf(world)
  const freeze = new FreezeWatch({ store, world, wakes, changed: ({ frozen }) => fleetChanged(parts, world, frozen) })
  const parts: Parts = {
    engine: null,
    agents: null,
    gateway: null,
    modelServers: null,
    alwaysLoaded: null,
    modelAgents: null,
    leader: null,
  }
  const policies = openPolicies(store, world, environments, log)
  const secrets = makeSecrets({
    config,
    folder,
    store,
    world,
    environments,
    known,
    gate: guardedSecrets(policies, () => store.clock.now()),
  })
  const metrics = createMetrics({ version: packageVersion() })
  const journal = new Journal(store, { durable: (transition, ms) => observeTransition(metrics, transition, ms) })
  shutdown.add('journal', async () => {
    // A database that does not answer must not keep the process.
    if (!store.writer.isLost) await Promise.race([journal.settled(), delay(JOURNAL_MS, undefined, { ref: false })])
    journal.abandon()
  })
  const oauth = oauthParts(world, secrets, known)
  const mcp = new McpConnections({
    ...oauth,
    log,
    version: packageVersion(),
    programs: mcpPrograms(
      config.data,
      (namespace) => networkOf(world, namespace),
      () => sandbox(),
    ),
    monotonicMs: () => clock.monotonicMs(),
  })
  shutdown.add('connections to MCP servers', () => mcp.close())
  const artifacts = { store, files: contentFiles(folder.artifacts, known), limits: config.artifacts }
  let found: Promise<Sandbox> | null = null
  const sandbox = () => {
    found ??= findSandbox({
      path: environment['PATH'] ?? '',
      home: environment['HOME'] ?? null,
      hidden: [resolve(config.data), resolve('.env')],
    })
    return found
  }
  const undos = openUndoStore({
    store,
    folder: undoFolderOf(config.data),
    envId: (namespace) => environments(namespace).id,
  })
  const artifactsOfTools = toolArtifacts(artifacts)
  const processes = processesOfTools({ store, config, world, environments, artifacts: artifactsOfTools })
  shutdown.add('processes of tools', () => endProcesses(processes, config, store))
  const tools = heedingRateLimits(
    heedingBreakers(
      toolRegistry({
        ...{ clock, environment, world, secrets, known, redactor },
        artifacts: artifactsOfTools,
        ...{ undos, sandbox, processes },
        models: gatewayOfTools(store, parts),
        drafts: draftsOfTools(store, wakes, parts),
        mcp: mcpCaller(world, mcp),
      }),
      store,
      world,
    ),
    store,
    rateLimits(world),
  )
  const toolCalls = toolCallsOf({ store, tools, policies, world, environments, freeze, data: config.data })
  shutdown.add('calls of tools', () => toolCalls.stop(parseDuration(config.drainTimeout)))
  return {
    config,
    roles,
    environment,
    log,
    clock,
    folder,
    metrics,
    store,
    feed,
    wakes,
    journal,
    world,
    freeze,
    environments,
    policies,
    secrets,
    forge: openForge(config, secrets),
    known,
    tools,
    toolCalls,
    processes,
    mcp,
    eventTypes: declaredEventTypes(store, world),
    artifacts,
    values: largeValues(artifacts),
    announce: announcements(wakes, parts),
    parts,
    front,
    certificate,
    phases,
  }
}

/** Every process halts, or goes on, as far as it has a part in it. */
function fleetChanged(parts: Parts, world: World, frozen: boolean): void {
  const { engine, leader, agents } = parts
  if (frozen) engine?.halt()
  else engine?.nudge()
  if (leader !== null) leader.fleetChanged()
  else agents?.follow(agentTargets(world))
}
