import type { EventName } from '../events/catalogue.ts'
import { globPattern } from '../lib/glob.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { Tx } from '../store/database.ts'
import { consumeLog, type LogConsumer, PORTION } from '../store/log-consumer.ts'
import type { LoggedEvent, NewEvent } from '../store/ports.ts'
import { insertNotification, readMatchingBehind, suppress } from '../store/queries/notifications.ts'
import type { Store } from '../store/store.ts'
import { DEFAULT_GLOBS, type DefaultAlert, defaultAlert } from './default-route.ts'
import { matches, sameNews, severityOf } from './match.ts'
import type { Route, Routes } from './ports.ts'

/** Somebody wants a delivery tried: at once, whichever process was asked. */
const REQUESTED = 'stateward.notification.requested' satisfies EventName

export interface WatchDeps {
  readonly store: Store
  readonly routes: Routes
  /** Opens the alert of the built-in route, or counts it once more; the event that tells of it. */
  readonly openAlert: (tx: Tx, alert: DefaultAlert, event: LoggedEvent) => Promise<NewEvent>
  /** There is something to deliver. */
  readonly due: () => void
}

/** Finds for each event the routes that are about it, and writes their deliveries; each event counts once. The leader's alone. */
export function watchForNotifications({ store, routes, openAlert, due }: WatchDeps): LogConsumer {
  return consumeLog(store, {
    name: 'notifications',
    failed: 'events could not be matched with notification routes; it is tried again',
    async read(after) {
      const all = routes.all()
      const bare = routes.withoutDefault()
      const globs = [
        ...all.flatMap(({ eventNames }) => eventNames),
        ...(bare.length > 0 ? DEFAULT_GLOBS : []),
        REQUESTED,
      ]
      const range = { after, pattern: globPattern(globs)!, limit: PORTION }
      const { head, events } = await readMatchingBehind(store.engine, range)
      const wanted = events.flatMap((event) => {
        const about = all.filter((route) => matches(route, event))
        const place = bare.find(({ envId }) => envId === event.env_id)
        const alert = place === undefined ? null : defaultAlert(event, place.namespace)
        return about.length === 0 && alert === null ? [] : [{ event, about, alert }]
      })
      async function write(tx: Tx): Promise<NewEvent[]> {
        const written: NewEvent[] = []
        for (const { event, about, alert } of wanted) {
          for (const route of about) await take(tx, store, route, event)
          if (alert !== null) written.push(await openAlert(tx, alert, event))
        }
        return written
      }
      const isDue = wanted.length > 0 || events.some(({ event_name: name }) => name === REQUESTED)
      return { head, events, write: wanted.length > 0 ? write : null, ...(isDue ? { passed: due } : {}) }
    },
  })
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
