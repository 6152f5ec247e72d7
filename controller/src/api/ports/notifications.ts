import type { NotificationRow } from '../../store/queries/notifications.ts'
import type { Caller } from '../caller.ts'

export interface NotificationVerbs {
  /** Sends a test over a route. SW_NOT_FOUND. */
  test(route: { readonly namespace: string; readonly name: string }, caller: Caller): Promise<NotificationRow>
  /** Has a delivery that was given up tried again; null when it is not dead. */
  retry(id: string, caller: Caller): Promise<NotificationRow | null>
}
