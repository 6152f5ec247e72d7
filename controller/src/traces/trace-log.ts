import { consumeLog, type LogConsumer, PORTION } from '../store/log-consumer.ts'
import type { LoggedEvent } from '../store/ports.ts'
import { beginConsumerAtHead, forgetConsumer, readNamedBehind } from '../store/queries/consumers.ts'
import { type TracedStep, tracedRuns, tracedSteps } from '../store/queries/traced-runs.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import type { OtlpExporter } from '../telemetry/otlp/exporter.ts'
import { type Around, measurementsOf, spanOf, TRACED_EVENTS } from './span-of-event.ts'

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
      for (const event of events) for (const each of measurementsOf(event)) exporter.measure(each)
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
  const [runs, steps] = [await tracedRuns(store.engine, ids), await tracedSteps(store.engine, ids)]
  const byId = new Map(runs.map((run) => [run.run_id, run]))
  const byPlace = new Map<string, TracedStep>()
  for (const step of steps.sort((a, b) => a.attempt - b.attempt)) {
    byPlace.set(`${step.run_id}/${step.path}/${step.attempt}`, step)
    byPlace.set(`${step.run_id}/${step.path}`, step)
  }
  return {
    revision,
    run: (id) => byId.get(id) ?? null,
    step: (runId, path, attempt) => byPlace.get(`${runId}/${path}${attempt === null ? '' : `/${attempt}`}`) ?? null,
  }
}
