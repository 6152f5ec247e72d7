import { uuidv7 } from '../../controller/src/lib/ids.ts'
import type { DatabaseUrls } from '../../controller/src/store/database.ts'
import { appendEvents } from '../../controller/src/store/log.ts'
import type { Store } from '../../controller/src/store/store.ts'
import { transact } from '../../controller/src/store/transact.ts'
import { startMeasured } from '../support/child-process.ts'
import { machineSeconds } from '../support/clock.ts'
import { pause } from './floor.ts'
import { openBenchStore, startParts } from './parts.ts'
import type { Reached } from './process.ts'

/** Seconds, from the moment the event is about to be written. */
export interface Sample {
  /** Until it is durable: when `POST /api/v1/events` would answer. */
  readonly durable: number
  /** Until the tool of the first step of its run is called. */
  readonly step: number
}

export interface Workload {
  readonly urls: DatabaseUrls
  readonly dataDir: string
  readonly events: number
  /** Between two events, so that everything is idle: what the last run still writes does not count. */
  readonly pauseMs: number
}

const WARM_UP = 50

/** One process posts the event, matches it and runs the step. */
export async function measureInProcess(workload: Workload): Promise<Sample[]> {
  const store = await openBenchStore(workload.urls, 'all')
  let begun: (at: number) => void = () => {}
  const parts = await startParts(store, workload.dataDir, ['triggers', 'engine'], () => begun(machineSeconds()))
  try {
    return await emitAll(
      store,
      workload,
      (seq) => parts.committed(seq),
      () => {
        const { promise, resolve } = Promise.withResolvers<number>()
        begun = resolve
        return promise
      },
    )
  } finally {
    await parts.stop()
    await store.end()
  }
}

/** One process posts the event, another one matches it, a third one runs the step. */
export async function measureAcross(workload: Workload): Promise<Sample[]> {
  const { urls, dataDir } = workload
  const script = new URL('process.ts', import.meta.url)
  const [matching, running] = [startMeasured(script), startMeasured(script)]
  const store = await openBenchStore(urls, 'emitter')
  try {
    await matching.ask({ do: 'start', urls, dataDir, roles: ['triggers'] })
    await running.ask({ do: 'start', urls, dataDir, roles: ['engine'] })
    const samples = await emitAll(
      store,
      workload,
      () => {},
      async (n) => {
        return (await running.ask<Reached>({ do: 'wait', n })).at
      },
    )
    for (const child of [matching, running]) await child.ask({ do: 'stop' })
    return samples
  } finally {
    await store.end()
    await Promise.all([matching.ended(), running.ended()])
  }
}

async function emitAll(
  store: Store,
  { events, pauseMs }: Workload,
  committed: (seq: number) => void,
  stepOf: (n: number) => Promise<number>,
): Promise<Sample[]> {
  const samples: Sample[] = []
  for (let n = 0; n < events + WARM_UP; n++) {
    const begun = stepOf(n)
    const from = machineSeconds()
    const { lastSeq } = await transact(store, (tx) => appendEvents(tx, store, [eventOf(n)]))
    const durable = machineSeconds()
    committed(lastSeq)
    const step = await begun
    if (n >= WARM_UP) samples.push({ durable: durable - from, step: step - from })
    await pause(pauseMs)
  }
  return samples
}

function eventOf(n: number) {
  return {
    event_id: uuidv7(),
    event_name: 'bench.wanted',
    occurred_at: new Date(),
    env_id: 'default',
    actor: 'bench',
    correlation_id: `bench-${n}`,
    data: { n },
  }
}
