import { setTimeout as delay } from 'node:timers/promises'
import type { Tx } from './database.ts'
import { appendEvents } from './log.ts'
import type { LoggedEvent, NewEvent } from './ports.ts'
import { consumerPosition, moveConsumer } from './queries/consumers.ts'
import type { Store } from './store.ts'
import { transact } from './transact.ts'

/** Events that are read at once. */
export const PORTION = 500
/** Between two looks: a busy log moves thousands of times a second, and almost none of it concerns a consumer. */
const PAUSE_MS = 250
const RETRY_MS = 5_000
/** The position is written when something was done about an event, else only when it is this far behind. */
const MAX_LAG = 10_000

/** Events behind a position, at most {@link PORTION}, and what is to be done about them. */
export interface LogPortion {
  /** How far the log had come. */
  readonly head: number
  readonly events: readonly LoggedEvent[]
  /** Done in the transaction that moves the position; returns events to append. Null = there is nothing to do. */
  readonly write: ((tx: Tx) => Promise<readonly NewEvent[]>) | null
  /** Once the position stands behind these events. */
  readonly passed?: () => void
}

export interface LogConsumer {
  /** The log has grown. */
  nudge(): void
  stop(): Promise<void>
}

/**
 * Follows the log as the durable consumer `name`: its position moves in the transaction that writes what follows from the
 * events, so that each event counts once, whatever crashes. `read` gives what is behind a number. `failed`: what the log
 * of the program says of a failure; it is tried again. For the leader alone: another process that moves the same consumer is
 * found out, and nothing is written.
 */
export function consumeLog(
  store: Store,
  options: {
    readonly name: string
    readonly failed: string
    readonly read: (after: number) => Promise<LogPortion>
  },
): LogConsumer {
  const { name, failed, read } = options
  const stopping = new AbortController()
  let working: Promise<void> | null = null
  let again = false
  /** As it is stored; null = not looked up. */
  let saved: number | null = null
  let position = 0
  const pause = (ms: number) => delay(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)

  async function work(): Promise<void> {
    do {
      await pause(PAUSE_MS)
      again = false
      if (stopping.signal.aborted) return
      try {
        while (await step()) if (stopping.signal.aborted) return
      } catch (error) {
        // Nothing was committed, or we do not know: the position is read again and tells.
        saved = null
        store.log.warn({ err: error }, failed)
        await pause(RETRY_MS)
        again = true
      }
    } while (again)
  }

  /** True when there are more. */
  async function step(): Promise<boolean> {
    if (saved === null) {
      saved = await transact(store, (tx) => consumerPosition(tx, name))
      position = saved
    }
    const { head, events, write, passed } = await read(position)
    const more = events.length === PORTION
    const to = Math.max(position, more ? events.at(-1)!.seq : head)
    if (write !== null || to - saved > MAX_LAG) {
      const from = saved
      await transact(store, async (tx) => {
        if (!(await moveConsumer(tx, name, from, to))) throw new Error(`consumer ${name} was moved by another`)
        const written = write === null ? [] : await write(tx)
        if (written.length > 0) await appendEvents(tx, store, [...written])
      })
      saved = to
    }
    position = to
    passed?.()
    return more
  }

  return {
    nudge() {
      again = true
      working ??= work().finally(() => {
        working = null
      })
    },
    async stop() {
      stopping.abort()
      await working
    },
  }
}
