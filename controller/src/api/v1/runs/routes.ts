import type { Route } from '../../http/route.ts'
import { cancelRun } from './cancel-run.ts'
import { listRunGates } from './list-run-gates.ts'
import { countRunsByStatus, listRuns } from './list-runs.ts'
import { readRun } from './read-run.ts'
import { readRunGraph } from './read-run-graph.ts'
import { rebuildRun } from './rebuild-run.ts'
import { retryRun } from './retry-run.ts'
import { rollbackRun } from './rollback-run.ts'
import { listRunEvents, streamRunEvents } from './run-events.ts'
import { listSteps, readStep } from './run-steps.ts'
import { startRun } from './start-run.ts'

/** Runs: start, list, count, read, their graph, steps, gates and events, cancel, retry, roll back, rebuild. */
export const RUN_ROUTES: readonly Route[] = [
  startRun,
  listRuns,
  countRunsByStatus,
  readRun,
  readRunGraph,
  listSteps,
  readStep,
  listRunGates,
  listRunEvents,
  streamRunEvents,
  cancelRun,
  retryRun,
  rollbackRun,
  rebuildRun,
]
