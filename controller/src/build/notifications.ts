import { alertEvent } from '../alerts/alerts.ts'
import type { NotificationVerbs } from '../api/ports/notifications.ts'
import type { EventName } from '../events/catalogue.ts'
import type { NotificationRouteSpec } from '../kinds/notification-route/notification-route.schema.ts'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import { createDeliverer, type Deliverer } from '../notifications/deliver.ts'
import type { Route, Routes } from '../notifications/ports.ts'
import { sender } from '../notifications/send.ts'
import { watchForNotifications } from '../notifications/watch.ts'
import type { World } from '../reconcile/world.ts'
import type { EnvironmentOf } from '../runs/ports.ts'
import { appendEvents } from '../store/log.ts'
import type { LogConsumer } from '../store/log-consumer.ts'
import type { NewEvent } from '../store/ports.ts'
import { raiseAlert } from '../store/queries/alerts.ts'
import { insertNotification, type NotificationRow, reviveNotification } from '../store/queries/notifications.ts'
import { transact } from '../store/transact.ts'
import type { Core } from './core.ts'

const DEFAULT_ROUTE = 'default'

/** The routes that are in force, made anew when the accepted state changed. */
function routesOf(world: World, environments: EnvironmentOf): Routes {
  let known: { readonly version: number; readonly routes: readonly Route[] } | null = null
  const all = (): readonly Route[] => {
    if (known?.version !== world.version) known = { version: world.version, routes: makeRoutes(world, environments) }
    return known.routes
  }
  return {
    all,
    find: (namespace, name) => all().find((route) => route.namespace === namespace && route.name === name) ?? null,
    withoutDefault() {
      const namespaces = new Set(['default', ...[...world.objects.values()].map(({ namespace }) => namespace)])
      namespaces.delete('')
      for (const object of world.ofKind('NotificationRoute').values())
        if (object.name === DEFAULT_ROUTE && !object.deleting) namespaces.delete(object.namespace)
      return [...namespaces].map((namespace) => ({ namespace, envId: environments(namespace).id }))
    },
  }
}

function makeRoutes(world: World, environments: EnvironmentOf): Route[] {
  return [...world.ofKind('NotificationRoute').values()].flatMap((object): Route[] => {
    const spec = world.effective(object) as unknown as NotificationRouteSpec
    if (object.deleting || spec.suspend === true) return []
    const { namespace, name } = object
    return [
      {
        ...{ namespace, name, spec },
        envId: environments(namespace).id,
        eventNames: spec.eventNames,
        severity: spec.severity ?? 'info',
        provider: spec.provider,
        dedupeWindowMs: parseDuration(spec.dedupeWindow ?? '5m'),
        maxPerMinute: spec.maxPerMinute ?? 30,
      },
    ]
  })
}

/** What the leader does about notifications. */
export function makeNotifications(core: Core): { readonly watch: LogConsumer; readonly deliverer: Deliverer } {
  const { store, world, environments, secrets } = core
  const routes = routesOf(world, environments)
  const deliverer = createDeliverer({ store, routes, send: sender({ store, secrets }), random: Math.random })
  const watch = watchForNotifications({
    store,
    routes,
    due: deliverer.nudge,
    async openAlert(tx, alert, event) {
      const at = store.clock.now()
      const row = await raiseAlert(tx, {
        ...alert,
        agent: null,
        severity: 'warning',
        alert_id: uuidv7(at.getTime()),
        rule: 'default-notification-route',
        raised_by: 'system:notifications',
        raised_at: at,
        event_id: event.event_id,
        correlation_id: event.correlation_id,
      })
      return alertEvent('raised', row, at, 'system:notifications')
    },
  })
  return { watch, deliverer }
}

/** What people ask of notifications. The leader delivers, wherever it was asked. */
export function notificationVerbs({
  store,
  world,
  environments,
}: Pick<Core, 'store' | 'world' | 'environments'>): NotificationVerbs {
  const routes = routesOf(world, environments)
  const requested = (row: NotificationRow, what: 'test' | 'retry', actor: string, correlationId: string): NewEvent => {
    const at = store.clock.now()
    const { delivery_id, namespace, route, event_name: notified_event } = row
    return {
      event_id: uuidv7(at.getTime()),
      event_name: 'stateward.notification.requested' satisfies EventName,
      occurred_at: at,
      env_id: environments(namespace).id,
      actor,
      correlation_id: correlationId,
      resource: { type: 'NotificationRoute', id: `${namespace}/${route}` },
      data: { delivery_id, namespace, route, notified_event, what },
    }
  }
  return {
    async test({ namespace, name }, { actor, correlationId }) {
      const route = routes.find(namespace, name)
      if (route === null) throw fail('SW_NOT_FOUND', `there is no notification route ${namespace}/${name}`)
      const at = store.clock.now()
      const id = uuidv7(at.getTime())
      const event = {
        ...{ seq: 0, event_id: id, event_name: 'notification.test', occurred_at: at.toISOString() },
        ...{
          env_id: route.envId,
          actor,
          correlation_id: correlationId,
          resource: null,
          data: { message: `a test of route ${name}` },
        },
      }
      const row = {
        ...{ delivery_id: id, namespace, route: name, provider: route.provider, severity: 'info', event_id: id },
        ...{ event_name: event.event_name, event, news: `test ${id}`, created_at: at, next_at: at },
      }
      const made: NotificationRow = {
        ...row,
        state: 'pending',
        attempts: 0,
        suppressed: 0,
        ended_at: null,
        problem: null,
      }
      await transact(store, async (tx) => {
        await insertNotification(tx, row)
        await appendEvents(tx, store, [requested(made, 'test', actor, correlationId)])
      })
      return made
    },
    async retry(id, { actor, correlationId }) {
      return await transact(store, async (tx) => {
        const row = await reviveNotification(tx, id, store.clock.now())
        if (row !== null) await appendEvents(tx, store, [requested(row, 'retry', actor, correlationId)])
        return row
      })
    },
  }
}
