import Type from 'typebox'
import { AnyMap, type EventType, eventType, Id, Text } from './event-type.ts'

const Delivery = { delivery_id: Id, namespace: Text, route: Text, notified_event: Text }

/** Events about who is told of what. */
export const NOTIFICATION_EVENTS = {
  'stateward.notification.posted': eventType('A route with the provider `sse` tells of an event.', {
    ...Delivery,
    severity: Text,
    event_id: Id,
    data: AnyMap,
    suppressed: Type.Integer({ minimum: 0, description: 'how many more of the same were not sent' }),
  }),
  'stateward.notification.abandoned': eventType(
    'A notification could not be delivered and is not tried again by itself.',
    {
      ...Delivery,
      attempts: Type.Integer({ minimum: 1 }),
      problem: Text,
    },
  ),
  'stateward.notification.requested': eventType(
    'Somebody asked for a notification: a test of a route, or a dead one again.',
    {
      ...Delivery,
      what: Type.String({ description: '`test` or `retry`' }),
    },
  ),
} as const satisfies Record<string, EventType>
