import type { NotificationRouteSpec } from '../kinds/notification-route/notification-route.schema.ts'
import type { NotifiedEvent, RouteMatch } from './match.ts'

/** A route as it is in force; defaults filled. */
export interface Route extends RouteMatch {
  readonly namespace: string
  readonly name: string
  readonly provider: NotificationRouteSpec['provider']
  readonly spec: NotificationRouteSpec
  readonly dedupeWindowMs: number
  readonly maxPerMinute: number
}

/** What is in force at this moment. */
export interface Routes {
  all(): readonly Route[]
  find(namespace: string, name: string): Route | null
  /** Environments that have no route named `default`: there the built-in one opens alerts. */
  withoutDefault(): readonly { readonly namespace: string; readonly envId: string }[]
}

/** What is sent. */
export interface Notification {
  readonly deliveryId: string
  readonly namespace: string
  readonly route: string
  readonly severity: string
  readonly event: NotifiedEvent
  /** How many more of the same were not sent since the last one. */
  readonly suppressed: number
}

/** Sends one; throws when it did not arrive. `Gone` = nobody wants it there any more: it is not tried again. */
export type Send = (notification: Notification, route: Route, signal: AbortSignal) => Promise<void>

export class Gone extends Error {}
