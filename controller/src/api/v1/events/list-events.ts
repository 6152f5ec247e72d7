import Type from 'typebox'
import { FAILURES } from '../../../events/failures.ts'
import { pageEvents } from '../../../store/queries/events-page.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { Event, eventDto, sampleEvent } from '../event-dto.ts'
import { samplePage } from '../samples.ts'
import { EventNameGlob, Name, only, PageQuery, pageOf, Uuid } from '../schemas.ts'
import { CLOUD_EVENTS_BATCH, wantsCloudEvents } from './cloud-event-http.ts'
import { toCloudEvent } from './cloud-events.ts'

export const listEvents = route({
  operation: 'listEvents',
  method: 'GET',
  path: '/api/v1/events',
  tag: 'events',
  access: 'read',
  summary: 'List events',
  description:
    'With `Accept: application/cloudevents-batch+json` a batch of CloudEvents 1.0; the cursor is then in `X-Next-Cursor`.',
  query: only({
    ...PageQuery,
    order: Type.Enum(['desc', 'asc'], { default: 'desc', description: 'desc = the newest first' }),
    event_name: Type.Optional(EventNameGlob),
    run_id: Type.Optional(Uuid),
    resource_type: Type.Optional(Type.String({ minLength: 1, maxLength: 63 })),
    resource_id: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
    correlation_id: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    env_id: Type.Optional(Name),
    actor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 253, description: 'user:ada, agent:default/sre, system …' }),
    ),
    step_id: Type.Optional(Uuid),
    before: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'only events with a lower number: numbers have no gaps, so this finds any place of the log',
      }),
    ),
    failures: Type.Boolean({ default: false, description: 'true = only what tells that something went wrong' }),
  }),
  answers: { 200: pageOf(Event) },
  example: { query: { event_name: 'checkmk.*', limit: 20 }, answer: samplePage(sampleEvent) },
  async answer({ query, headers, header, correlationId }, { store }) {
    const [cursor = null] = query.cursor === undefined ? [] : decodeCursor(query.cursor, ['number'])
    const events = await pageEvents(store.reader, {
      order: query.order,
      cursor,
      limit: query.limit + 1,
      name: query.event_name ?? null,
      runId: query.run_id ?? null,
      resource: { type: query.resource_type ?? null, id: query.resource_id ?? null },
      correlationId: query.correlation_id ?? null,
      envId: query.env_id ?? null,
      before: query.before ?? null,
      actor: query.actor ?? null,
      stepId: query.step_id ?? null,
      failures: query.failures ? FAILURES : null,
    })
    const page = pageBody(
      events,
      { limit: query.limit, correlationId },
      ({ seq }) => [seq],
      (event) => event,
    )
    if (!wantsCloudEvents(headers)) return { ...page, items: page.items.map(eventDto) }
    header('content-type', CLOUD_EVENTS_BATCH)
    if (page.next_cursor !== null) header('x-next-cursor', page.next_cursor)
    // Another shape, for who asked for it by name.
    return page.items.map(toCloudEvent) as never
  },
})
