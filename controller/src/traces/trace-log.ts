import { consumeLog, type LogConsumer, PORTION } from '../store/log-consumer.ts'
import type { LoggedEvent } from '../store/ports.ts'
import { beginConsumerAtHead, forgetConsumer, readNamedBehind } from '../store/queries/consumers.ts'
import { type TracedStep, tracedRuns, tracedSteps, tracedTasks } from '../store/queries/traced-runs.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import type { OtlpExporter } from '../telemetry/otlp/exporter.ts'
import { measurementsOf } from './call-spans.ts'
import { spanOf, TRACED_EVENTS } from './span-of-event.ts'
import type { Around } from './span-parts.ts'

const NAME = 'traces'
/** A collector that is away must not keep the log: after so many tries what is behind is let go. */
const TRIES = 5

/**
 * Exports what ended, as the log tells it: spans cost whoever works nothing, and are there after a crash, too. Each is sent at
 * least once while the collector answers. For the leader alone.
 */
export async function exportTraces(
  store: Store,
  exporter: Pick<OtlpExporter, 'export' | 'measure'>,
  revision: () => string | null,
): Promise<LogConsumer> {
  await transact(store, (tx) => beginConsumerAtHead(tx, NAME))
  let failed = { after: -1, times: 0 }
  return consumeLog(store, {
    name: NAME,
    failed: 'spans could not be exported; it is tried again',
    async read(after) {
      const { head, events } = await readNamedBehind(store.engine, { after, names: TRACED_EVENTS, limit: PORTION })
      if (events.length === 0) return { head, events, write: null }
      const around = await lookAround(store, events, revision())
      const spans = events.flatMap((event) => spanOf(event, around) ?? [])
      try {
        await exporter.export(spans)
      } catch (error) {
        failed = { after, times: failed.after === after ? failed.times + 1 : 1 }
        if (failed.times < TRIES) throw error
        store.log.warn({ err: error, spans: spans.length }, 'spans are let go: the collector did not take them')
      }
      for (const event of events) for (const each of measurementsOf(event, around)) exporter.measure(each)
      return { head, events, write: async () => [] }
    },
  })
}

/** Nobody exports: the log is not kept for it. */
export async function forgetTraces(store: Store): Promise<void> {
  await transact(store, (tx) => forgetConsumer(tx, NAME))
}

async function lookAround(store: Store, events: readonly LoggedEvent[], revision: string | null): Promise<Around> {
  const ids = [...new Set(events.flatMap(({ run_id }) => run_id ?? []))]
  const taskIds = events.flatMap(({ event_name, data }) =>
    event_name.startsWith('stateward.task.') ? [String(data['task_id'])] : [],
  )
  const [runs, steps] = [await tracedRuns(store.engine, ids), await tracedSteps(store.engine, ids)]
  const tasks = new Map((await tracedTasks(store.engine, taskIds)).map((task) => [task.task_id, task]))
  const byId = new Map(runs.map((run) => [run.run_id, run]))
  const byPlace = Map.groupBy(
    steps.sort((a, b) => a.attempt - b.attempt),
    ({ run_id, path }) => `${run_id}/${path}`,
  )
  const attempts = (runId: string, path: string): readonly TracedStep[] => byPlace.get(`${runId}/${path}`) ?? []
  return {
    revision,
    run: (id) => byId.get(id) ?? null,
    step: (runId, path, attempt) => attempts(runId, path).find((one) => one.attempt === attempt) ?? null,
    stepAt: (runId, path, at) => attempts(runId, path).findLast((one) => (one.started_at ?? at) <= at) ?? null,
    task: (id) => tasks.get(id) ?? null,
  }
}
