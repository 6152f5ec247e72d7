import { notifyWakes, WAKE_CHANNEL } from './queries/wakes.ts'
import type { Store } from './store.ts'
import { type Wake, wakeText, wokenBy } from './wake-text.ts'

export type { Wake } from './wake-text.ts'

/** What processes tell each other. Hints: a lost one costs time, never work, since everybody also looks by himself. */
export interface Wakes {
  /** Tells the others, after the commit of what it is about; nothing is sent while this process is the only one. */
  send(wake: Wake): void
  /** Calls `fn` with what others send. Returns what ends it. */
  subscribe(fn: (wake: Wake) => void): () => void
  close(): Promise<void>
}

/** More runs than this in one turn are announced as "look at everything". */
const MOST_RUNS = 50

/**
 * Listens on one channel, and announces this process there. Whoever subscribes hears `joined` once after each time the
 * connection was made anew: what was announced in between has to be looked for.
 */
export async function openWakes(store: Pick<Store, 'engine' | 'writer' | 'log'>): Promise<Wakes> {
  const { engine, writer, log } = store
  const subscribers = new Set<(wake: Wake) => void>()
  let closed = false
  let outbox: Wake[] = []
  let sending: Promise<void> = Promise.resolve()

  const tell = (wake: Wake): void => {
    for (const fn of subscribers) {
      try {
        fn(wake)
      } catch (error) {
        log.error({ wake, err: error }, 'a wake of another process could not be followed')
      }
    }
  }
  const flush = async (): Promise<void> => {
    const gathered = outbox
    outbox = []
    const runs = gathered.filter(({ kind }) => kind === 'run')
    const wakes: Wake[] =
      runs.length > MOST_RUNS
        ? [...gathered.filter(({ kind }) => kind !== 'run'), { kind: 'run', run: null }]
        : gathered
    try {
      await notifyWakes(engine, [...new Set(wakes.map((wake) => wakeText(writer.id, wake)))])
    } catch (error) {
      if (!closed) log.warn({ err: error }, 'other processes could not be told; they find it when they look')
    }
  }
  const post = (wake: Wake): void => {
    outbox.push(wake)
    // Everything of this turn goes in one statement.
    if (outbox.length === 1) sending = sending.then(flush)
  }
  const hear = (payload: string): void => {
    if (closed) return
    const woken = wokenBy(payload)
    if (woken === null || woken.from === writer.id) return
    if (woken.wake.kind === 'joined') writer.metPeer()
    tell(woken.wake)
  }
  const listening = await engine.listen(WAKE_CHANNEL, hear, () => {
    if (!closed) post({ kind: 'joined' })
    tell({ kind: 'joined' })
  })

  return {
    send(wake) {
      if (!closed && writer.hasPeers) post(wake)
    },
    subscribe(fn) {
      const subscriber = (wake: Wake): void => fn(wake)
      subscribers.add(subscriber)
      return () => void subscribers.delete(subscriber)
    },
    async close() {
      closed = true
      subscribers.clear()
      await sending
      await listening.unlisten().catch((error: unknown) => {
        log.warn({ err: error }, 'the channel of the processes was closed without its database')
      })
    },
  }
}
