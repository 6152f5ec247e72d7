import { setTimeout as delay } from 'node:timers/promises'
import { uuidv7 } from '../lib/ids.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import type { LoggedEvent, NewEvent } from '../store/ports.ts'
import { consumerPosition, moveConsumer } from '../store/queries/consumers.ts'
import { insertNotification, readMatchingBehind, suppress } from '../store/queries/notifications.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { DEFAULT_GLOBS, type DefaultAlert, defaultAlert } from './default-route.ts'
import { matches, patternOf, sameNews, severityOf } from './match.ts'
import type { Route, Routes } from './ports.ts'

const CONSUMER = 'notifications'
const BATCH = 500
const PAUSE_MS = 250
const RETRY_MS = 5_000
/** The position is written when something is to be sent, else only when it is this far behind. */
const MAX_LAG = 10_000

export interface NotificationWatch {
  /** The log has grown. */
  nudge(): void
  stop(): Promise<void>
}

export interface WatchDeps {
  readonly store: Store
  readonly routes: Routes
  /** Opens the alert of the built-in route, or counts it once more; the event that tells of it. */
  readonly openAlert: (tx: Tx, alert: DefaultAlert, event: LoggedEvent) => Promise<NewEvent>
  /** There is something to deliver. */
  readonly due: () => void
}

/**
 * Finds for each event the routes that are about it: a durable consumer, whose position moves in the transaction that writes
 * the deliveries, so that each event counts once, whatever crashes. The leader's alone.
 */
export function watchForNotifications({ store, routes, openAlert, due }: WatchDeps): NotificationWatch {
  const stopping = new AbortController()
  let working: Promise<void> | null = null
  let again = false
  let saved: number | null = null
  let position = 0

  async function work(): Promise<void> {
    do {
      await pause(PAUSE_MS)
      again = false
      if (stopping.signal.aborted) return
      try {
        while (await read()) if (stopping.signal.aborted) return
      } catch (error) {
        // Nothing was committed, or we do not know: the position is read again and tells.
        saved = null
        store.log.warn({ err: error }, 'events could not be matched with notification routes; it is tried again')
        await pause(RETRY_MS)
        again = true
      }
    } while (again)
  }

  /** True when there are more. */
  async function read(): Promise<boolean> {
    if (saved === null) {
      saved = await transact(store, (tx) => consumerPosition(tx, CONSUMER))
      position = saved
    }
    const all = routes.all()
    const bare = routes.withoutDefault()
    const globs = [...all.flatMap(({ eventNames }) => eventNames), ...(bare.length > 0 ? DEFAULT_GLOBS : [])]
    const pattern = patternOf(globs) ?? '^$'
    const { head, events } = await readMatchingBehind(store.engine, { after: position, pattern, limit: BATCH })
    const more = events.length === BATCH
    const to = more ? events.at(-1)!.seq : head
    const wanted = events.flatMap((event) => {
      const about = all.filter((route) => matches(route, event))
      const place = bare.find(({ envId }) => envId === event.env_id)
      const alert = place === undefined ? null : defaultAlert(event, place.namespace)
      return about.length === 0 && alert === null ? [] : [{ event, about, alert }]
    })
    if (wanted.length > 0 || to - saved > MAX_LAG) {
      const from = saved
      await transact(store, async (tx) => {
        if (!(await moveConsumer(tx, CONSUMER, from, to))) throw new Error(`consumer ${CONSUMER} was moved by another`)
        const written: NewEvent[] = []
        for (const { event, about, alert } of wanted) {
          for (const route of about) await take(tx, store, route, event)
          if (alert !== null) written.push(await openAlert(tx, alert, event))
        }
        if (written.length > 0) await appendEvents(tx, store, written)
      })
      saved = to
      if (wanted.length > 0) due()
    }
    position = to
    return more
  }

  const pause = (ms: number) => delay(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)

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

/** A delivery, or one more that is not sent. */
async function take(tx: Tx, store: Store, route: Route, event: LoggedEvent): Promise<void> {
  const now = store.clock.now()
  const news = sameNews(event)
  const rule = {
    news,
    sameSince: new Date(now.getTime() - route.dedupeWindowMs),
    minuteAgo: new Date(now.getTime() - 60_000),
    most: route.maxPerMinute,
  }
  if (await suppress(tx, route, rule)) return
  const { seq, event_id, event_name, occurred_at, env_id, actor, correlation_id, resource, data } = event
  await insertNotification(tx, {
    delivery_id: uuidv7(now.getTime()),
    namespace: route.namespace,
    route: route.name,
    provider: route.provider,
    severity: severityOf(event),
    event_id,
    event_name,
    event: { seq, event_id, event_name, occurred_at, env_id, actor, correlation_id, resource, data },
    news,
    created_at: now,
    next_at: now,
  })
}
