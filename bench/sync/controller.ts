import { builtinObjects } from '../../controller/src/build/builtin-objects.ts'
import { dataFolder } from '../../controller/src/build/data-folder.ts'
import { PARSE_OPTIONS, pointerInFile } from '../../controller/src/build/parse-options.ts'
import { gitSource, type OpenSource } from '../../controller/src/build/source.ts'
import { openStateRepo, SOURCE_NAME } from '../../controller/src/build/state-repo.ts'
import { statusPublishing } from '../../controller/src/build/status-publishing.ts'
import { loadConfig } from '../../controller/src/config/load-config.ts'
import { KINDS } from '../../controller/src/kinds/registry.ts'
import { systemClock } from '../../controller/src/lib/clock.ts'
import { DEFAULT_DELETION_LIMIT } from '../../controller/src/plan/blast-radius.ts'
import { CONTROLLER_LEASE, Controller } from '../../controller/src/reconcile/controller.ts'
import { DriftKeeper } from '../../controller/src/reconcile/drift/keeper.ts'
import { declarationReconciler } from '../../controller/src/reconcile/kinds/declaration.ts'
import { sourceReconciler } from '../../controller/src/reconcile/kinds/source.ts'
import type { Accepted } from '../../controller/src/reconcile/sync/accept.ts'
import { NO_GOVERNOR } from '../../controller/src/reconcile/sync/change-governor.ts'
import { SourceSync } from '../../controller/src/reconcile/sync/source-sync.ts'
import { World } from '../../controller/src/reconcile/world.ts'
import type { DatabaseUrls } from '../../controller/src/store/database.ts'
import { tryAcquireLease } from '../../controller/src/store/leases.ts'
import { openStore } from '../../controller/src/store/store.ts'
import { createLogger } from '../../controller/src/telemetry/logger.ts'
import { builtinToolRisk, builtinToolSchema } from '../../controller/src/tools/builtins.ts'
import { answer } from '../support/child-process.ts'
import { cpuSecondsSince } from '../support/cpu-time.ts'

/**
 * A controller process from the state repo to Postgres and the status branch, as `stateward up` puts it together, but without
 * the parts that act on what was accepted: every kind only declares, so that no agent is started.
 */

export type Request =
  | { readonly do: 'start'; readonly urls: DatabaseUrls; readonly repo: string; readonly data: string }
  | { readonly do: 'settle' }
  | { readonly do: 'pass'; readonly full: boolean }
  | { readonly do: 'stop' }

export interface Started {
  /** From the begin of the first pass (the connected process, the world still empty) to its end. */
  readonly seconds: number
  /** Time on processors, all threads together: what a busy machine does not stretch. */
  readonly cpuSeconds: number
  readonly outcome: string | null
  readonly created: number
  readonly issues: number
  /** Files whose bytes were asked for. */
  readonly filesRead: number
}

export interface Passed {
  readonly seconds: number
  readonly accepted: boolean
}

const RESYNC_MS = 600_000
const WORKERS = 32

let running: Awaited<ReturnType<typeof assemble>> | null = null

answer(async (message) => {
  const request = message as Request
  if (request.do === 'start') {
    running = await assemble(request)
    return await start(running)
  }
  if (running === null) throw new Error('the controller was not started')
  const { controller, publishing, stop } = running
  switch (request.do) {
    case 'settle':
      await controller.settled()
      await publishing.writer?.flush()
      // The publisher reports on the Source object.
      await controller.settled()
      return {}
    case 'pass': {
      const startedMs = performance.now()
      const accepted = await controller.pass({ actor: 'system', full: request.full })
      return { seconds: (performance.now() - startedMs) / 1000, accepted: accepted !== null } satisfies Passed
    }
    case 'stop':
      await stop()
      setImmediate(() => process.disconnect())
      return {}
  }
})

async function start({ controller, reads }: Awaited<ReturnType<typeof assemble>>): Promise<Started> {
  const startedMs = performance.now()
  const cpuBefore = process.cpuUsage()
  const accepted = await controller.start()
  const seconds = (performance.now() - startedMs) / 1000
  return {
    seconds,
    cpuSeconds: cpuSecondsSince(cpuBefore),
    outcome: accepted?.sync.outcome ?? null,
    created: accepted?.sync.counts.create ?? 0,
    issues: accepted?.sync.issues.length ?? 0,
    filesRead: reads.files,
  }
}

async function assemble({ urls, repo, data }: Request & { do: 'start' }) {
  const log = createLogger({ level: 'warn', format: 'json' })
  const { config } = loadConfig({ env: {}, flags: { data, repo }, cwd: data, readFile: () => null })
  const store = await openStore(urls, {
    clock: systemClock,
    roles: ['controller'],
    host: 'bench',
    dataDirLocked: true,
    onLeaseLost: () => process.exit(70),
    log,
  })
  const source = gitSource(await openStateRepo(config, dataFolder(data), systemClock, log), config.path)
  const reads = countReads(source)
  const world = new World()
  const sync = new SourceSync({
    store,
    world,
    source: reads.source,
    parse: PARSE_OPTIONS,
    pointerInFile,
    deletionLimit: DEFAULT_DELETION_LIMIT,
    builtin: builtinObjects(config, null),
    builtinToolSchema,
    builtinToolRisk,
    governor: NO_GOVERNOR,
    verify: async () => {},
    mode: () => 'enforce',
    log,
  })
  const publishing = statusPublishing(
    {
      store,
      world,
      sync: () => sync,
      source,
      lease: CONTROLLER_LEASE,
      controllerId: 'bench',
      interval: config.statusInterval,
      environment: 'default',
    },
    () => controller.enqueue(`Source/${SOURCE_NAME}`),
  )
  const controller = new Controller({
    store,
    world,
    source: reads.source,
    sync,
    reconcilers: KINDS.map(({ kind }) =>
      kind === 'Source'
        ? sourceReconciler({
            sync: () => sync,
            verifies: false,
            statusProblem: () => publishing.writer?.problem ?? null,
          })
        : declarationReconciler(kind),
    ),
    drift: new DriftKeeper(store, []),
    log,
    metrics: {
      synced: () => {},
      reconciled: () => {},
      queue: { depth() {}, added() {}, retried() {}, taken() {}, done() {} },
    },
    resyncMs: RESYNC_MS,
    pollMs: () => 60_000,
    workers: WORKERS,
    onAccepted: ({ sync: row }: Accepted) => publishing.note(row),
    onStatus: () => publishing.writer?.touch(),
    podsOf: () => [],
  })
  await tryAcquireLease(store, CONTROLLER_LEASE)
  const stop = async () => {
    await controller.stop()
    await publishing.writer?.close()
    await source.source.close()
    await store.end()
  }
  return { controller, publishing, reads, stop }
}

function countReads({ source }: OpenSource) {
  const reads = {
    files: 0,
    source: {
      ...source,
      read: (...[files, options]: Parameters<typeof source.read>) => {
        reads.files += files.length
        return source.read(files, options)
      },
    },
  }
  return reads
}
