import { pendingRollbacks } from '../../store/queries/child-runs.ts'
import { Wakeup } from '../wakeup.ts'
import { type RollbackDeps, rollbackRun } from './rollback-run.ts'

const AT_ONCE = 100
const DEFAULT_POLL_MS = 5_000

/** Undoes the runs that failed and whose blueprint says so: found by their rows, so none is forgotten when a process dies. */
export interface PendingRollbacks {
  start(): void
  /** A run has ended. */
  nudge(): void
  stop(): Promise<void>
}

export function createPendingRollbacks(deps: RollbackDeps & { readonly pollMs?: number }): PendingRollbacks {
  const { store } = deps
  const wakeup = new Wakeup(store.clock, deps.pollMs ?? DEFAULT_POLL_MS)
  let stopping = false
  let loop: Promise<void> = Promise.resolve()

  const pass = async () => {
    for (const runId of await pendingRollbacks(store.engine, AT_ONCE)) {
      if (stopping) return
      try {
        await rollbackRun(deps, { runId, ifPending: true }, null)
      } catch (error) {
        store.log.error({ run_id: runId, err: error }, 'a run that failed could not be rolled back')
      }
    }
  }
  const run = async () => {
    while (!stopping) {
      try {
        await pass()
      } catch (error) {
        store.log.warn({ err: error }, 'runs to roll back could not be read')
      }
      await wakeup.wait()
    }
  }
  return {
    start() {
      loop = run()
    },
    nudge: () => wakeup.now(),
    async stop() {
      stopping = true
      wakeup.now()
      await loop
    },
  }
}
