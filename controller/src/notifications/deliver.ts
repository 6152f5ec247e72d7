import { setTimeout as delay } from 'node:timers/promises'
import type { EventName } from '../events/catalogue.ts'
import { backoffMs } from '../lib/backoff.ts'
import { errorMessage, StatewardError } from '../lib/errors.ts'
import { uuidv7 } from '../lib/ids.ts'
import { appendEvents } from '../store/log.ts'
import type { NewEvent } from '../store/ports.ts'
import {
  dueNotifications,
  type NotificationRow,
  nextNotificationAt,
  settleNotification,
} from '../store/queries/notifications.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import type { NotifiedEvent } from './match.ts'
import { Gone, type Notification, type Routes, type Send } from './ports.ts'

/** About an hour in all. */
export const DEFAULT_ATTEMPTS = { most: 10, backoff: { firstMs: 5_000, factor: 2, maxMs: 15 * 60_000, jitter: 0.2 } }

const AT_ONCE = 10
/** The longest pause; one that is due before is not waited for longer than that. */
const LOOK_MS = 10_000
const TRY_AGAIN_MS = 1_000
const SEND_MS = 10_000
const ACTOR = 'system:notifications'

export interface Deliverer {
  start(): void
  /** There may be something to deliver. */
  nudge(): void
  stop(): Promise<void>
}

export interface DelivererDeps {
  readonly store: Store
  readonly routes: Routes
  readonly send: Send
  readonly random: () => number
  readonly attempts?: typeof DEFAULT_ATTEMPTS
}

/**
 * Delivers what is due: at least once, each attempt recorded, with growing pauses, until it arrives or is given up. A delivery
 * whose route is gone, or has another provider by now, is given up at once. The leader's alone.
 */
export function createDeliverer(deps: DelivererDeps): Deliverer {
  const { store } = deps
  const stopping = new AbortController()
  let wake = new AbortController()
  let loop: Promise<void> | null = null

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      wake = new AbortController()
      let pause = TRY_AGAIN_MS
      try {
        for (;;) {
          const due = await dueNotifications(store.engine, store.clock.now(), AT_ONCE)
          if (due.length === 0 || stopping.signal.aborted) break
          await Promise.all(due.map((row) => attempt(deps, row, stopping.signal)))
        }
        const next = await nextNotificationAt(store.engine)
        pause = next === null ? LOOK_MS : Math.min(Math.max(next.getTime() - store.clock.now().getTime(), 0), LOOK_MS)
      } catch (error) {
        if (!stopping.signal.aborted)
          store.log.warn({ err: error }, 'notifications could not be delivered; it is tried again')
      }
      await delay(pause, undefined, { signal: AbortSignal.any([stopping.signal, wake.signal]), ref: false }).catch(
        () => undefined,
      )
    }
  }

  return {
    start() {
      loop ??= run()
    },
    nudge: () => wake.abort(),
    async stop() {
      stopping.abort()
      await loop
    },
  }
}

async function attempt(deps: DelivererDeps, row: NotificationRow, stopping: AbortSignal): Promise<void> {
  const { store, routes, send, random, attempts: { most, backoff } = DEFAULT_ATTEMPTS } = deps
  const route = routes.find(row.namespace, row.route)
  let problem: string | null = null
  let given = false
  if (route === null || route.provider !== row.provider) {
    problem = 'its route is gone'
    given = true
  } else {
    try {
      await send(notificationOf(row), route, AbortSignal.any([stopping, AbortSignal.timeout(SEND_MS)]))
    } catch (error) {
      // The end of the process is no failure of the receiver: the next one tries again.
      if (stopping.aborted) return
      problem = (error instanceof StatewardError ? `${error.message} (${error.remedy})` : errorMessage(error)).slice(
        0,
        1000,
      )
      given = error instanceof Gone
    }
  }
  const now = store.clock.now()
  const count = row.attempts + 1
  const dead = problem !== null && (given || count >= most)
  await transact(store, async (tx) => {
    const settled = await settleNotification(tx, row.delivery_id, {
      state: problem === null ? 'delivered' : dead ? 'dead' : 'pending',
      nextAt: new Date(now.getTime() + (problem === null || dead ? 0 : backoffMs(backoff, count, random()))),
      endedAt: problem === null || dead ? now : null,
      problem,
    })
    if (settled && dead) await appendEvents(tx, store, [deadEvent(row, count, problem!, now)])
  })
}

function deadEvent(row: NotificationRow, attempts: number, problem: string, now: Date): NewEvent {
  const { delivery_id, namespace, route, event_name: notified_event } = row
  return {
    event_id: uuidv7(now.getTime()),
    event_name: 'stateward.notification.abandoned' satisfies EventName,
    occurred_at: now,
    env_id: String(row.event['env_id'] ?? 'default'),
    actor: ACTOR,
    correlation_id: String(row.event['correlation_id'] ?? delivery_id),
    resource: { type: 'NotificationRoute', id: `${namespace}/${route}` },
    data: { delivery_id, namespace, route, notified_event, attempts, problem },
  }
}

function notificationOf(row: NotificationRow): Notification {
  return {
    deliveryId: row.delivery_id,
    namespace: row.namespace,
    route: row.route,
    severity: row.severity,
    event: row.event as unknown as NotifiedEvent,
    suppressed: row.suppressed,
  }
}
