import type { ControllerMetrics } from '../reconcile/controller.ts'
import type { World } from '../reconcile/world.ts'
import type { Transition } from '../store/journal.ts'
import { logHead } from '../store/log.ts'
import { countInstances } from '../store/queries/instance-counts.ts'
import { countDueRuns, listProcesses } from '../store/queries/processes.ts'
import { countOpenTasks } from '../store/queries/tasks-read.ts'
import type { Store } from '../store/store.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Parts } from './parts.ts'

const QUEUE = 'objects'

/** What the reconcile loop measures. */
export function controllerMetrics({ queue, reconcile, stateward }: Metrics): ControllerMetrics {
  return {
    synced: (outcome, seconds) => stateward.synced(outcome, seconds),
    reconciled: (kind, result, seconds) => reconcile.reconciled(kind.toLowerCase(), result, seconds),
    queue: {
      depth: (keys) => queue.depth(QUEUE, keys),
      added: () => queue.added(QUEUE),
      retried: () => queue.retried(QUEUE),
      taken: (seconds) => queue.taken(QUEUE, seconds),
      done: (seconds) => queue.done(QUEUE, seconds),
    },
  }
}

/** A transition of a run became durable: what ended in it. */
export function observeTransition({ stateward }: Metrics, { run, steps }: Transition, ms: number): void {
  stateward.journaled(ms / 1000)
  if (run !== null && (run.status === 'completed' || run.status === 'failed' || run.status === 'cancelled')) {
    stateward.runEnded(run.status, secondsBetween(run.started_at, run.completed_at))
  }
  for (const { kind, status, started_at, completed_at } of steps) {
    if (status === 'completed' || status === 'failed' || status === 'skipped') {
      stateward.stepEnded(kind, status, secondsBetween(started_at, completed_at))
    }
  }
}

/** The same metrics; what is only a number at a moment is looked up when somebody asks. */
export function scrapedMetrics(
  metrics: Metrics,
  { store, world, parts }: { readonly store: Store; readonly world: World; readonly parts: Parts },
  agentHealth: () => Promise<Readonly<Record<string, number>>>,
): Metrics {
  return {
    ...metrics,
    async text() {
      for (const [kind, { ready, notReady }] of objectCounts(world)) metrics.stateward.objects(kind, ready, notReady)
      metrics.stateward.logHead((await logHead(store.reader)).seq)
      const instances = await countInstances(store.reader)
      for (const state of ['starting', 'running', 'stopping'] as const)
        metrics.stateward.agentInstances(state, instances.get(state) ?? 0)
      for (const [health, count] of Object.entries(await agentHealth())) metrics.stateward.agents(health, count)
      for (const { state, count } of await countOpenTasks(store.reader)) metrics.stateward.openTasks(state, count)
      await observeProcesses(metrics, store, parts)
      return await metrics.text()
    },
  }
}

const ROLES = ['controller', 'api', 'worker', 'ui'] as const

async function observeProcesses({ stateward }: Metrics, store: Store, { engine }: Parts): Promise<void> {
  const processes = await listProcesses(store.reader)
  for (const role of ROLES) stateward.processes(role, processes.filter(({ roles }) => roles.includes(role)).length)
  stateward.runs(
    'owned',
    processes.reduce((sum, { runs }) => sum + runs, 0),
  )
  stateward.runs('owned_here', engine?.activeRuns() ?? 0)
  stateward.runs('due', await countDueRuns(store.reader, store.clock.now()))
}

function objectCounts(world: World): Map<string, { ready: number; notReady: number }> {
  const counts = new Map<string, { ready: number; notReady: number }>()
  const waiting = world.notReady()
  for (const [key, { kind }] of world.objects) {
    const count = counts.get(kind) ?? { ready: 0, notReady: 0 }
    if (waiting.has(key)) count.notReady++
    else count.ready++
    counts.set(kind, count)
  }
  return counts
}

function secondsBetween(from: Date | null, to: Date | null): number {
  return from === null || to === null ? 0 : (to.getTime() - from.getTime()) / 1000
}
