import Type from 'typebox'
import { fail } from '../../lib/error-catalogue.ts'
import { isUuid, uuidv7 } from '../../lib/ids.ts'
import type { JsonObject } from '../../lib/json.ts'
import { appendEvents } from '../../store/log.ts'
import type { LoggedEvent, NewEvent } from '../../store/ports.ts'
import { eventById, pageEvents } from '../../store/queries/events-page.ts'
import type { ApiContext } from '../context.ts'
import { decodeCursor, encodeCursor } from '../http/cursor.ts'
import { idempotentTransaction } from '../http/idempotency.ts'
import type { Api } from '../http/typed.ts'
import { Event, EventResource, eventDto, FOREIGN_EVENT_NAME } from './event-dto.ts'
import { EventNameGlob, errorResponses, JsonMap, Name, Nullable, PageQuery, pageOf, Uuid } from './schemas.ts'

const EventQuery = Type.Object(
  {
    ...PageQuery,
    order: Type.Union([Type.Literal('desc'), Type.Literal('asc')], {
      default: 'desc',
      description: 'desc = the newest first',
    }),
    event_name: Type.Optional(EventNameGlob),
    run_id: Type.Optional(Uuid),
    resource_type: Type.Optional(Type.String({ minLength: 1, maxLength: 63 })),
    resource_id: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
    correlation_id: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    env_id: Type.Optional(Name),
  },
  { additionalProperties: false },
)

const EmitEventRequest = Type.Object(
  {
    event_name: Type.String({
      maxLength: 200,
      pattern: FOREIGN_EVENT_NAME,
      description: 'lower-case words with dots; not stateward.…',
    }),
    env_id: Type.Optional(Name),
    resource: Type.Optional(Nullable(EventResource)),
    data: Type.Optional(JsonMap),
    run_id: Type.Optional(Nullable(Uuid)),
    step_id: Type.Optional(Nullable(Uuid)),
  },
  { additionalProperties: false },
)

/** The log: a page of it, one event, and emitting one. */
export function addEventRoutes(app: Api, context: ApiContext): void {
  app.get(
    '/api/v1/events',
    {
      config: { access: 'read' },
      schema: { summary: 'List events', querystring: EventQuery, response: { 200: pageOf(Event), ...errorResponses } },
    },
    async (request) => {
      const { query } = request
      const [cursor = null] = query.cursor === undefined ? [] : decodeCursor(query.cursor, ['number'])
      const events = await pageEvents(context.store.reader, {
        order: query.order,
        cursor,
        limit: query.limit + 1,
        name: query.event_name ?? null,
        runId: query.run_id ?? null,
        resource: { type: query.resource_type ?? null, id: query.resource_id ?? null },
        correlationId: query.correlation_id ?? null,
        envId: query.env_id ?? null,
      })
      const items = events.slice(0, query.limit)
      const next = events.length > query.limit ? encodeCursor([items.at(-1)!.seq]) : null
      return { items: items.map(eventDto), next_cursor: next, correlation_id: request.id }
    },
  )
  app.get(
    '/api/v1/events/:event_id',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Read one event',
        params: Type.Object({ event_id: Type.String() }),
        response: { 200: Event, ...errorResponses },
      },
    },
    async (request) => {
      const { event_id: id } = request.params
      const event = isUuid(id.toLowerCase()) ? await eventById(context.store.reader, id.toLowerCase()) : null
      if (event === null)
        throw fail('SW_NOT_FOUND', `there is no event ${id}`, { remedy: 'events are listed by GET /api/v1/events' })
      return eventDto(event)
    },
  )
  app.post(
    '/api/v1/events',
    {
      config: { access: 'write' },
      schema: { summary: 'Emit an event', body: EmitEventRequest, response: { 201: Event, ...errorResponses } },
    },
    async (request, reply) => {
      const { body } = request
      if (body.event_name.startsWith('stateward.')) {
        throw fail('SW_FORBIDDEN', 'names that begin with "stateward." are written by Stateward alone', {
          remedy: 'choose another first word',
        })
      }
      const event: NewEvent = {
        event_id: uuidv7(context.clock.now().getTime()),
        event_name: body.event_name,
        occurred_at: context.clock.now(),
        env_id: body.env_id ?? 'default',
        actor: request.principal.name,
        correlation_id: request.id,
        run_id: body.run_id ?? null,
        step_id: body.step_id ?? null,
        resource: body.resource ?? null,
        // The body came as JSON, so its members are JSON.
        data: (body.data ?? {}) as JsonObject,
      }
      let seq: number | null = null
      const sent = await idempotentTransaction(context.store, request, reply, async (tx) => {
        seq = (await appendEvents(tx, context.store, [event])).lastSeq
        return { status: 201, body: eventDto(logged(event, seq)) }
      })
      if (seq !== null) context.nudge(seq)
      return sent
    },
  )
}

function logged(event: NewEvent, seq: number): LoggedEvent {
  return {
    ...event,
    occurred_at: event.occurred_at.toISOString(),
    run_id: event.run_id ?? null,
    step_id: event.step_id ?? null,
    resource: event.resource ?? null,
    seq,
  }
}
