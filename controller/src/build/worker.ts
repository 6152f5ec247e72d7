import { openPurse } from '../budgets/purse.ts'
import { parseDuration } from '../lib/duration.ts'
import { runLogs } from '../records/artifacts/run-logs.ts'
import { createRunEngine, type RunEngine } from '../runs/engine/engine.ts'
import { createPendingRollbacks } from '../runs/follow-up/pending-undo.ts'
import { createRunFolders, runLogFile } from '../runs/run-folders.ts'
import { limitsOf } from './budgets.ts'
import type { Core } from './core.ts'
import { bulkObstacle } from './hosts.ts'
import { permitsOfAgents } from './tool-calls.ts'
import { canServe, quotaOf } from './world-views.ts'

export interface Worker {
  readonly engine: RunEngine
  start(): void
  /** Hands the runs over, and waits for what they wrote. */
  stop(): Promise<void>
}

/** What moves runs, and undoes those that failed and are to be undone. Nothing is started. */
export function makeWorker(core: Core): Worker {
  const { store, journal, config, wakes, announce, log } = core
  const quota = quotaOf(core.world)
  const folders = createRunFolders(config.data, log)
  const logs = runLogs({
    ...core.artifacts,
    fileOf: (runId) => runLogFile(config.data, runId),
    written: () => folders.settled(),
  })
  const rollbacks = createPendingRollbacks({
    store,
    environmentOf: core.environments,
    tools: core.tools,
    nudge: (runId) => announce.run(runId),
  })
  const engine = createRunEngine({
    store,
    journal,
    tools: core.tools,
    folders,
    values: core.values,
    runQuota: (namespace) => quota(namespace, 'runs'),
    purse: { limits: limitsOf(core.world), ...openPurse(store) },
    environmentOf: core.environments,
    policies: core.policies.ofRuns,
    permits: permitsOfAgents(core.world),
    ended: (runId) => {
      logs.ended(runId)
      rollbacks.nudge()
    },
    tasks: {
      canServe: canServe(core.world),
      bulkObstacle: bulkObstacle(store, core.world),
      enqueued: announce.task,
      cancelled: announce.taskCancelled,
    },
    released: () => wakes.send({ kind: 'run', run: null }),
    maxActive: config.maxRuns,
    stopGraceMs: parseDuration(config.drainTimeout),
  })
  // Only of a process that is not the only one: another's runs are free.
  store.writer.onTakeOver(() => engine.nudge())
  return {
    engine,
    start() {
      engine.start()
      rollbacks.start()
    },
    async stop() {
      await rollbacks.stop()
      await engine.stop()
      await folders.settled()
      await logs.settled()
    },
  }
}
