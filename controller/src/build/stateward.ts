import { rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { Agents } from '../agents/agents.ts'
import { DEFAULT_SETTINGS } from '../agents/context.ts'
import { redactor } from '../agents/redaction.ts'
import { secretReader } from '../agents/secrets.ts'
import { ensureAdminCredential } from '../api/auth/admin-credential.ts'
import { createApiServer } from '../api/server.ts'
import type { Environment } from '../config/environment.ts'
import type { Config } from '../config/schema.ts'
import { secretVariable } from '../config/secrets.ts'
import { KINDS } from '../kinds/registry.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { parseDuration } from '../lib/duration.ts'
import { packageVersion } from '../lib/package-root.ts'
import { CONTROLLER_LEASE, Controller } from '../reconcile/controller.ts'
import type { Accepted } from '../reconcile/sync/accept.ts'
import { SourceSync } from '../reconcile/sync/source-sync.ts'
import { World } from '../reconcile/world.ts'
import { contentFiles } from '../records/artifacts/content-files.ts'
import { runLogs } from '../records/artifacts/run-logs.ts'
import { oldArtifacts, oldEvents, oldFootprints, oldIdempotencyKeys } from '../records/chores.ts'
import { createJanitor } from '../records/janitor.ts'
import { createRunEngine } from '../runs/engine.ts'
import { createHeldBack } from '../runs/held-back.ts'
import type { AcceptedBlueprint } from '../runs/ports.ts'
import { createRunFolders, runLogFile } from '../runs/run-folders.ts'
import { createSchedules } from '../runs/schedules.ts'
import { createTriggers } from '../runs/triggers.ts'
import { acquireDataLock } from '../store/embedded/data-lock.ts'
import { openEventFeed } from '../store/events-feed.ts'
import { Journal } from '../store/journal.ts'
import { openStore } from '../store/store.ts'
import { openWakes } from '../store/wakes.ts'
import type { Logger } from '../telemetry/logger.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { builtinToolSchema } from '../tools/builtins.ts'
import { builtinObjects, LOCAL_HOST } from './builtin-objects.ts'
import { toolRegistry } from './builtin-tools.ts'
import { controllerId, dataFolder } from './data-folder.ts'
import { openDatabase } from './database.ts'
import { declaredEventTypes } from './declared-event-types.ts'
import { kindReconcilers } from './kind-reconcilers.ts'
import { logSync } from './log-sync.ts'
import { approvalDeps, gateProposals } from './merged-decisions.ts'
import { controllerMetrics, observeTransition, scrapedMetrics } from './metrics.ts'
import { PARSE_OPTIONS, pointerInFile } from './parse-options.ts'
import { announcements, followWake } from './process-wakes.ts'
import { apiServices } from './services.ts'
import { Shutdown } from './shutdown.ts'
import { directorySource, gitSource } from './source.ts'
import { openStateRepo, SOURCE_NAME } from './state-repo.ts'
import { statusPublishing } from './status-publishing.ts'
import { blueprintsOf, environmentOf, localHost } from './world-views.ts'

export interface StatewardOptions {
  readonly config: Config
  readonly environment: Environment
  readonly log: Logger
  /** A plain folder as the source, for `stateward dev`; null = the state repo of the configuration. */
  readonly directory: string | null
  readonly clock?: Clock
  /** The lease was lost: the process has to end. */
  readonly onLeaseLost: () => void
}

export interface Stateward {
  readonly url: string
  /** What the first pass accepted; null when everything was as recorded. */
  readonly first: Accepted | null
  readonly sync: SourceSync
  readonly world: World
  readonly agents: Agents
  /** Everything that is queued has been looked at. */
  settled(): Promise<void>
  /** In order: no new work, journal, agents, last status, database. Called again, it waits for the first call. */
  stop(): Promise<void>
}

const RESYNC_MS = 600_000
const WORKERS = 32
const TIDY_UP_MS = 600_000
const STOP_AGENTS_MS = 5_000

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

async function assemble(
  { config, environment, log, directory, onLeaseLost, clock = systemClock }: StatewardOptions,
  shutdown: Shutdown,
): Promise<Stateward> {
  const folder = dataFolder(config.data)
  const lock = acquireDataLock(config.data)
  shutdown.add('data folder', async () => lock.release())
  const metrics = createMetrics({ version: packageVersion() })

  const database = await openDatabase(config, log)
  shutdown.add('database server', () => database.stop())
  const store = await openStore(database.urls, {
    clock,
    roles: ['controller', 'api', 'worker'],
    host: hostname(),
    dataDirLocked: database.embedded !== null,
    onLeaseLost,
    log,
  })
  shutdown.add('store', () => store.end())
  const feed = await openEventFeed(store)
  shutdown.add('event feed', () => feed.close())
  const wakes = await openWakes(store)
  shutdown.add('wakes', () => wakes.close())

  const source =
    directory === null
      ? gitSource(await openStateRepo(config, folder, clock, log), config.path)
      : await directorySource(directory, SOURCE_NAME, clock, log)
  shutdown.add('source', () => source.source.close())

  const world = new World()
  const accepted = new Map<string, AcceptedBlueprint>()
  const blueprints = blueprintsOf(world, accepted)
  const secrets = secretReader({
    fromEnvironment: (name, key) => config.secrets[secretVariable(name, key)],
    directory: folder.secrets,
  })
  const tools = toolRegistry({ clock, environment, world, secrets, redactor })
  const environments = environmentOf(world)
  const journal = new Journal(store, { durable: (transition, ms) => observeTransition(metrics, transition, ms) })
  const folders = createRunFolders(config.data, log)
  const artifacts = { store, files: contentFiles(folder.artifacts), limits: config.artifacts }
  const logs = runLogs({
    ...artifacts,
    fileOf: (runId) => runLogFile(config.data, runId),
    written: () => folders.settled(),
  })

  const announce = announcements(wakes, () => ({ engine, agents }))
  let url = ''
  const agents = new Agents({
    store,
    dataDir: config.data,
    url: () => url,
    inherited: inheritedEnvironment(environment),
    nodeFolder: dirname(process.execPath),
    localHost: localHost(world, LOCAL_HOST),
    secrets,
    writeTree: (tree, target) => source.writeTree(tree, target),
    nudgeRun: announce.run,
    settings: DEFAULT_SETTINGS,
  })
  const engine = createRunEngine({
    store,
    journal,
    tools,
    folders,
    environmentOf: environments,
    ended: (runId) => logs.ended(runId),
    tasks: {
      canServe: (namespace, agent) => agents.canServe(namespace, agent),
      enqueued: announce.task,
      cancelled: announce.taskCancelled,
    },
    released: () => wakes.send({ kind: 'run', run: null }),
  })
  const heldBack = createHeldBack((uid) => {
    const blueprint = accepted.get(uid)
    if (blueprint !== undefined) controller.enqueue(`Blueprint/${blueprint.namespace}/${blueprint.name}`)
  })
  wakes.subscribe((wake) => followWake(wake, { engine, agents }))
  store.writer.onTakeOver(() => engine.nudge())
  const triggers = createTriggers({
    store,
    held: ({ uid }, message) => heldBack.set('events', uid, message),
    blueprints,
    environmentOf: environments,
    created: (runIds) => {
      for (const runId of runIds) announce.run(runId)
    },
    mismatch: ({ blueprint, event, missingKey, error }) =>
      log.warn(
        {
          kind: 'Blueprint',
          namespace: blueprint.namespace,
          name: blueprint.name,
          event: event.event_name,
          missing: missingKey,
          error,
        },
        'a trigger filter could not be applied to an event',
      ),
  })

  const schedules = createSchedules({
    store,
    held: ({ uid }, message) => heldBack.set('schedules', uid, message),
    blueprints,
    environmentOf: environments,
    changed: (runIds) => {
      for (const runId of runIds) announce.run(runId)
    },
  })

  const sync = new SourceSync({
    store,
    world,
    source: source.source,
    parse: PARSE_OPTIONS,
    pointerInFile,
    deletionLimit: config.deletionLimit,
    builtin: builtinObjects(config, directory),
    builtinToolSchema,
    mode: () => sourceMode(world),
    log,
  })
  const publishing = statusPublishing(
    {
      store,
      world,
      sync: () => sync,
      source,
      controllerId: controllerId(folder),
      interval: config.statusInterval,
      environment: 'default',
    },
    () => controller.enqueue(`Source/${SOURCE_NAME}`),
  )
  const controller = new Controller({
    store,
    world,
    source: source.source,
    sync,
    reconcilers: kindReconcilers({
      store,
      world,
      source,
      sync: () => sync,
      agents,
      accepted,
      builtinToolSchema,
      statusProblem: () => publishing.writer?.problem ?? null,
      heldBack,
      approvals: approvalDeps({ store, source, environmentOf: environments, nudge: announce.run }),
      blueprintsChanged: () => {
        triggers.nudge()
        schedules.nudge()
      },
    }),
    log,
    metrics: controllerMetrics(metrics),
    resyncMs: RESYNC_MS,
    pollMs: () => parseDuration(config.interval),
    workers: WORKERS,
    onAccepted: ({ sync: row }) => {
      logSync(log, row)
      publishing.note(row)
    },
    onStatus: () => publishing.writer?.touch(),
  })

  const proposals = gateProposals({ store, source, environmentOf: environments }, config.path)
  const janitor = createJanitor({
    store,
    lease: CONTROLLER_LEASE,
    intervalMs: TIDY_UP_MS,
    chores: [
      oldEvents(store, parseDuration(config.retention.events)),
      oldIdempotencyKeys(store),
      oldFootprints(store, parseDuration(config.retention.footprints)),
      oldArtifacts(artifacts, parseDuration(config.retention.artifacts)),
    ],
  })

  let reconciled = false
  let loaded = false
  const adminToken = await ensureAdminCredential(config.data)
  const services = apiServices({
    store,
    world,
    controller,
    sync,
    source,
    ref: `refs/heads/${config.ref}`,
    agents,
    schedules,
    blueprints,
    environmentOf: environments,
    dataDir: config.data,
    artifacts,
    secrets,
    createRun: (run, plan, event) => engine.create(run, plan, event),
    runChanged: announce.run,
    eventTypes: declaredEventTypes(store, world),
  })
  const api = await createApiServer(
    { hosts: config.host, port: config.port, auth: { mode: 'none', adminToken }, version: packageVersion() },
    {
      store,
      feed,
      services,
      kinds: KINDS,
      metrics: scrapedMetrics(metrics, { store, world }),
      log,
      loaded: () => loaded,
      checks: [
        {
          name: 'reconciled',
          problem: async () =>
            reconciled || sync.state.sync !== null ? null : 'the first revision is not accepted yet',
        },
      ],
    },
  )
  const { urls, port } = await api.listen()
  url = `http://127.0.0.1:${port}`
  await writeFile(folder.serverFile, `${JSON.stringify({ url: urls[0] ?? url, pid: process.pid })}\n`)
  shutdown.add('server address', async () => await rm(folder.serverFile, { force: true }))

  await agents.start()
  agents.onChange((key) => controller.enqueue(key))
  agents.listening()
  // Added in reverse of the order in which they stop.
  shutdown.add('last status', async () => await publishing.writer?.close())
  shutdown.add('reconcile loop', () => controller.stop())
  shutdown.add('agents', () => (config.keepAgents ? agents.abandon() : agents.stopAll({ graceMs: STOP_AGENTS_MS })))
  shutdown.add('run engine', async () => {
    await engine.stop()
    await folders.settled()
    await logs.settled()
  })
  shutdown.add('janitor', () => janitor.stop())
  shutdown.add('triggers', () => triggers.stop())
  shutdown.add('proposals', async () => await proposals?.stop())
  shutdown.add('schedules', () => schedules.stop())
  shutdown.add('API', () => api.close())

  const first = await controller.start()
  reconciled = sync.state.failure === null
  const settled = async () => {
    await controller.settled()
  }
  await settled()
  loaded = true
  feed.subscribe(() => triggers.nudge())
  feed.subscribe(() => proposals?.nudge())
  proposals?.nudge()
  triggers.start()
  schedules.start()
  engine.start()
  janitor.start()
  return { url, first, sync, world, agents, settled, stop: () => shutdown.run() }
}

function inheritedEnvironment(environment: Environment) {
  const { PATH, LANG, TZ, TMPDIR } = environment
  return {
    PATH: PATH ?? '/usr/local/bin:/usr/bin:/bin',
    ...(LANG === undefined ? {} : { LANG }),
    ...(TZ === undefined ? {} : { TZ }),
    ...(TMPDIR === undefined ? {} : { TMPDIR }),
  }
}

/** What the Source object says; before it is accepted, the source is enforced. */
function sourceMode(world: World): 'enforce' | 'observe' | 'suspended' {
  const object = world.get(`Source/${SOURCE_NAME}`)
  if (object === undefined) return 'enforce'
  const spec = world.effective(object)
  if (spec['suspend'] === true) return 'suspended'
  return spec['mode'] === 'observe' ? 'observe' : 'enforce'
}
