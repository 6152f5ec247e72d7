import { setTimeout as delay } from 'node:timers/promises'
import { itemsWhoseTaskEnded } from '../store/queries/work-items.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { settleItem } from './settle-item.ts'

/** The log moves often: one look answers all that came meanwhile. */
const GATHER_MS = 100
const RETRY_MS = 5_000
const BATCH = 100

export interface Settling {
  start(): void
  stop(): Promise<void>
}

/** Lets items follow their tasks. It looks at rows, not at events: what was missed is found at the next look. */
export function createSettling(store: Store, log: { subscribe(onSeq: () => void): () => void }): Settling {
  const stopping = new AbortController()
  let working: Promise<void> | null = null
  let again = false
  let unsubscribe = (): void => {}
  const pause = (ms: number) => delay(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)

  async function work(): Promise<void> {
    do {
      await pause(GATHER_MS)
      again = false
      if (stopping.signal.aborted) return
      try {
        const ended = await itemsWhoseTaskEnded(store.engine, BATCH)
        for (const each of ended) await transact(store, (tx) => settleItem(tx, store, each))
        again ||= ended.length === BATCH
      } catch (error) {
        store.log.warn({ err: error }, 'an item could not follow its task; it will be tried again')
        await pause(RETRY_MS)
        again = true
      }
    } while (again)
  }

  /** A task may have ended. */
  const nudge = (): void => {
    again = true
    working ??= work().finally(() => {
      working = null
    })
  }

  return {
    start() {
      unsubscribe = log.subscribe(nudge)
      nudge()
    },
    async stop() {
      unsubscribe()
      stopping.abort()
      await working
    },
  }
}
