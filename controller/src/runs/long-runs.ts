import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { type OpenRunsOf, oldestRunAfter, openRunsByBlueprint } from '../store/queries/open-runs.ts'
import type { Store } from '../store/store.ts'

/** A run that ends sooner is nothing to plan around, and would make a status commit of nearly every run. */
const LONG_MS = 60_000
/** A busy log moves thousands of times a second: one look answers all of it. */
const PAUSE_MS = 10_000
const RETRY_MS = 30_000

export interface LongRuns {
  /** Runs of a blueprint that have been open for over a minute; null = none. Undefined: nobody has looked yet. */
  of(blueprintUid: string): OpenRunsOf | null | undefined
  /** The log has grown: runs may have begun or ended. */
  nudge(): void
  stop(): Promise<void>
}

/**
 * Knows which runs have been open for long, for the status of their blueprints. Asks only after the log has grown, and when
 * a run that is open becomes a long one: an idle fleet asks nothing. The leader's alone.
 */
export function watchLongRuns(store: Store, changed: (blueprintUid: string) => void): LongRuns {
  const stopping = new AbortController()
  let known: ReadonlyMap<string, OpenRunsOf> | null = null
  let working: Promise<void> | null = null
  let again = false
  let waiting: NodeJS.Timeout | null = null
  const pause = (ms: number) => delay(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)

  async function work(): Promise<void> {
    do {
      again = false
      try {
        await look()
        await pause(PAUSE_MS)
      } catch (error) {
        store.log.warn({ err: error }, 'open runs could not be looked at; it is tried again')
        await pause(RETRY_MS)
        again = true
      }
    } while (again && !stopping.signal.aborted)
  }

  async function look(): Promise<void> {
    const before = new Date(store.clock.now().getTime() - LONG_MS)
    const found = new Map((await openRunsByBlueprint(store.reader, before)).map((row) => [row.blueprint_uid, row]))
    const former = known
    known = found
    for (const uid of new Set([...(former ?? []), ...found].map(([uid]) => uid)))
      if (!isDeepStrictEqual(former?.get(uid), found.get(uid))) changed(uid)
    const next = await oldestRunAfter(store.reader, before)
    if (next !== null) lookAgainIn(next.getTime() + LONG_MS - store.clock.now().getTime())
  }

  function lookAgainIn(ms: number): void {
    if (waiting !== null) clearTimeout(waiting)
    waiting = setTimeout(() => nudge(), Math.max(ms, 0) + 1)
    waiting.unref()
  }

  function nudge(): void {
    again = true
    if (stopping.signal.aborted) return
    working ??= work().finally(() => {
      working = null
    })
  }

  return {
    of: (uid) => (known === null ? undefined : (known.get(uid) ?? null)),
    nudge,
    async stop() {
      stopping.abort()
      if (waiting !== null) clearTimeout(waiting)
      await working
    },
  }
}
