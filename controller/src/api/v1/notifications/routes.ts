import Type, { type Static } from 'typebox'
import type { EventName } from '../../../events/catalogue.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import {
  NOTIFICATION_STATES,
  type NotificationRow,
  notificationById,
  pageNotifications,
} from '../../../store/queries/notifications.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { type Route, route } from '../../http/route.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { NamespaceQuery, Nullable, only, PageQuery, pageOf, Time } from '../schemas.ts'

const Notification = Type.Object(
  {
    delivery_id: Type.String({ format: 'uuid' }),
    namespace: Type.String(),
    route: Type.String({ description: 'name of the NotificationRoute' }),
    provider: Type.String(),
    severity: Type.String(),
    event_id: Type.String({ format: 'uuid' }),
    event_name: Type.String(),
    state: Type.Enum([...NOTIFICATION_STATES]),
    attempts: Type.Integer({ description: 'how often it was tried' }),
    suppressed: Type.Integer({ description: 'how many more of the same, or over the limit, were not sent' }),
    created_at: Time,
    next_at: Nullable({ ...Time, description: 'when it is tried next; null = not any more' }),
    ended_at: Nullable(Time),
    problem: Nullable(Type.String({ description: 'why the last attempt did not arrive' })),
  },
  { title: 'Notification' },
)

function notificationDto(row: NotificationRow): Static<typeof Notification> {
  const { event: _event, news: _news, created_at, next_at, ended_at, ...rest } = row
  return {
    ...rest,
    created_at: created_at.toISOString(),
    next_at: row.state === 'pending' ? next_at.toISOString() : null,
    ended_at: ended_at?.toISOString() ?? null,
  }
}

const sample: Static<typeof Notification> = {
  delivery_id: '01983a50-4f77-7a88-99d8-2b1a0f9e8dba',
  namespace: 'default',
  route: 'on-call',
  provider: 'webhook',
  severity: 'warning',
  event_id: SAMPLE.event,
  event_name: 'stateward.run.failed' satisfies EventName,
  state: 'dead',
  attempts: 10,
  suppressed: 2,
  created_at: SAMPLE.time,
  next_at: null,
  ended_at: SAMPLE.later,
  problem: 'the receiver answered 503',
}

const DeliveryParams = Type.Object({ delivery_id: Type.String({ format: 'uuid', description: 'the delivery' }) })

const listNotifications = route({
  operation: 'listNotifications',
  method: 'GET',
  path: '/api/v1/notifications',
  aliases: [],
  tag: 'notifications',
  access: 'read',
  summary: 'List deliveries of notifications, newest first',
  query: only({
    ...PageQuery,
    ...NamespaceQuery,
    route: Type.Optional(Type.String({ maxLength: 63 })),
    state: Type.Optional(Type.Enum([...NOTIFICATION_STATES])),
  }),
  answers: { 200: pageOf(Notification) },
  example: { query: { state: 'dead' }, answer: samplePage(sample) },
  async answer({ query, correlationId }, { store: { reader } }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
    const rows = await pageNotifications(reader, {
      namespace: query.namespace ?? null,
      route: query.route ?? null,
      state: query.state ?? null,
      before: position === null ? null : { at: position[0], id: position[1] },
      limit: query.limit + 1,
    })
    const page = { limit: query.limit, correlationId }
    return pageBody(rows, page, (last) => [last.created_at, last.delivery_id], notificationDto)
  },
})

const readNotification = route({
  operation: 'readNotification',
  method: 'GET',
  path: '/api/v1/notifications/{delivery_id}',
  aliases: [],
  tag: 'notifications',
  access: 'read',
  summary: 'Read a delivery',
  params: DeliveryParams,
  answers: { 200: Notification },
  example: { params: { delivery_id: sample.delivery_id }, answer: sample },
  async answer({ params }, { store: { reader } }) {
    const row = await notificationById(reader, params.delivery_id)
    if (row === null) throw fail('SW_NOT_FOUND', `there is no notification ${params.delivery_id}`)
    return notificationDto(row)
  },
})

const retryNotification = route({
  operation: 'retryNotification',
  method: 'POST',
  path: '/api/v1/notifications/{delivery_id}/retry',
  aliases: [],
  tag: 'notifications',
  access: 'notifications.write',
  summary: 'Try a delivery that was given up again',
  params: DeliveryParams,
  answers: { 202: Notification },
  example: {
    params: { delivery_id: sample.delivery_id },
    answer: { ...sample, state: 'pending', attempts: 0, next_at: SAMPLE.later, ended_at: null, problem: null },
  },
  async answer({ params, caller }, { services, store: { reader } }) {
    const row = await services.notifications.retry(params.delivery_id, caller)
    if (row !== null) return notificationDto(row)
    if ((await notificationById(reader, params.delivery_id)) === null)
      throw fail('SW_NOT_FOUND', `there is no notification ${params.delivery_id}`)
    throw fail('SW_CONFLICT', `notification ${params.delivery_id} was not given up`)
  },
})

const testNotificationRoute = route({
  operation: 'testNotificationRoute',
  method: 'POST',
  path: '/api/v1/notifications/test',
  aliases: [],
  tag: 'notifications',
  access: 'notifications.write',
  summary: 'Send a test over a route',
  body: only(
    {
      route: Type.String({ minLength: 1, maxLength: 63, description: 'name of the NotificationRoute' }),
      namespace: Type.Optional(Type.String({ minLength: 1, maxLength: 63 })),
    },
    { title: 'TestNotificationRouteRequest' },
  ),
  answers: { 202: Notification },
  example: {
    body: { route: 'on-call' },
    answer: {
      ...sample,
      ...{ event_name: 'notification.test', severity: 'info', state: 'pending', attempts: 0, suppressed: 0 },
      ...{ next_at: SAMPLE.time, ended_at: null, problem: null },
    },
  },
  async answer({ body, caller }, { services }) {
    return notificationDto(
      await services.notifications.test({ namespace: body.namespace ?? 'default', name: body.route }, caller),
    )
  },
})

/** Who was told of what. */
export const NOTIFICATION_ROUTES: readonly Route[] = [
  listNotifications,
  testNotificationRoute,
  readNotification,
  retryNotification,
]
