import { setTimeout as delay } from 'node:timers/promises'
import { errorMessage } from '../lib/errors.ts'
import { holdsLease } from '../store/leases.ts'
import type { Store } from '../store/store.ts'

/** One kind of thing that is kept for a time. */
export interface Chore {
  readonly name: string
  /** Removes what is over; resolves with how many. Throwing is no harm: it is tried again at the next round. */
  run(): Promise<number>
}

export interface JanitorOptions {
  readonly store: Store
  /** Only the holder of this lease tidies up. */
  readonly lease: string
  readonly chores: readonly Chore[]
  /** Between two rounds; the first one is as long after the start. */
  readonly intervalMs: number
}

export interface Janitor {
  start(): void
  /** One round now; the names of the chores with what each removed, without those that failed. */
  round(): Promise<Readonly<Record<string, number>>>
  stop(): Promise<void>
}

/** Tidies up round after round. A chore that fails is logged and keeps no other from running. */
export function createJanitor({ store, lease, chores, intervalMs }: JanitorOptions): Janitor {
  const stopping = new AbortController()
  let loop: Promise<void> = Promise.resolve()

  async function round(): Promise<Readonly<Record<string, number>>> {
    const removed: Record<string, number> = {}
    for (const chore of chores) {
      if (stopping.signal.aborted || !(await holdsLease(store.engine, store, lease))) return removed
      try {
        const count = await chore.run()
        removed[chore.name] = count
        if (count > 0) store.log.info({ chore: chore.name, removed: count }, 'removed what was kept long enough')
      } catch (error) {
        store.log.warn({ chore: chore.name, err: error }, `could not tidy up: ${errorMessage(error)}`)
      }
    }
    return removed
  }

  async function rounds(): Promise<void> {
    while (!stopping.signal.aborted) {
      // Aborted while it waits: the loop ends by its condition.
      await delay(intervalMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
      if (stopping.signal.aborted) return
      await round().catch((error: unknown) => {
        store.log.warn({ err: error }, `could not tidy up: ${errorMessage(error)}`)
      })
    }
  }

  return {
    start() {
      loop = rounds()
    },
    round,
    async stop() {
      stopping.abort()
      await loop
    },
  }
}
