import { setTimeout as delay } from 'node:timers/promises'
import { LOG_CHANNEL } from './log-channel.ts'
import { logHead } from './queries/events.ts'
import type { Store } from './store.ts'

/** Tells how far the log has come. A hint: a reader asks `readEvents` from its own cursor on. */
export interface EventFeed {
  /** Calls `fn` with the last number whenever the log moved on; numbers in between may be left out. Returns what ends it. */
  subscribe(fn: (seq: number) => void): () => void
  /** Says at once what this process has just committed, without the way through the database. */
  nudge(seq: number): void
  /** The last number heard of. */
  readonly seq: number
  close(): Promise<void>
}

/**
 * Follows the log: what this process commits by `nudge`, what others commit by NOTIFY, and every `pollMs` by a look at
 * the head, since a notification is lost with its connection.
 */
export async function openEventFeed(
  store: Pick<Store, 'engine' | 'log' | 'intake'>,
  options: { readonly pollMs?: number } = {},
): Promise<EventFeed> {
  const subscribers = new Set<(seq: number) => void>()
  const stopped = new AbortController()
  let seq = (await logHead(store.engine)).seq

  const advance = (to: number): void => {
    if (to <= seq || stopped.signal.aborted) return
    seq = to
    for (const fn of subscribers) {
      try {
        fn(to)
      } catch (error) {
        store.log.error({ seq: to, err: error }, 'a reader of the log failed')
      }
    }
  }
  const look = async (): Promise<void> => {
    try {
      advance((await logHead(store.engine)).seq)
    } catch (error) {
      if (!stopped.signal.aborted) store.log.warn({ err: error }, 'the head of the log could not be read; trying again')
    }
  }
  const poll = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      // Aborted while it waits: the loop ends by its condition.
      await delay(options.pollMs ?? 10_000, undefined, { signal: stopped.signal, ref: false }).catch(() => undefined)
      if (!stopped.signal.aborted) await look()
    }
  }

  // Also after each reconnect: whatever was announced in between is seen by looking.
  const listening = await store.engine.listen(LOG_CHANNEL, (payload) => advance(Number(payload)), look)
  const polling = poll()
  store.intake.onCommitted(advance)

  return {
    subscribe(fn) {
      // Wrapped, so that the same function subscribed twice is two subscriptions.
      const subscriber = (to: number): void => fn(to)
      subscribers.add(subscriber)
      return () => void subscribers.delete(subscriber)
    },
    nudge: advance,
    get seq() {
      return seq
    },
    async close() {
      stopped.abort()
      subscribers.clear()
      await polling
      await listening.unlisten().catch((error: unknown) => {
        store.log.warn({ err: error }, 'the feed of the log was closed without its database')
      })
    },
  }
}
