import type { FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import { checkEventData } from '../../events/declared-types.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { isUuid, uuidv7 } from '../../lib/ids.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Tx } from '../../store/database.ts'
import { appendEvents } from '../../store/log.ts'
import type { LoggedEvent, NewEvent } from '../../store/ports.ts'
import { eventById, eventsById, lockEventIds, pageEvents } from '../../store/queries/events-page.ts'
import type { ApiContext } from '../context.ts'
import { decodeCursor, encodeCursor } from '../http/cursor.ts'
import { idempotentTransaction } from '../http/idempotency.ts'
import type { Api } from '../http/typed.ts'
import { CLOUD_EVENT, CLOUD_EVENTS_BATCH, cloudEventsOf, wantsCloudEvents } from './cloud-event-http.ts'
import { cloudEventData, fromCloudEvent, refuseOurNames, toCloudEvent } from './cloud-events.ts'
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
    async (request, reply) => {
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
      if (wantsCloudEvents(request)) {
        if (next !== null) reply.header('x-next-cursor', next)
        return reply.type(CLOUD_EVENTS_BATCH).send(items.map(toCloudEvent) as never)
      }
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
    async (request, reply) => {
      const { event_id: id } = request.params
      const event = isUuid(id.toLowerCase()) ? await eventById(context.store.reader, id.toLowerCase()) : null
      if (event === null)
        throw fail('SW_NOT_FOUND', `there is no event ${id}`, { remedy: 'events are listed by GET /api/v1/events' })
      if (wantsCloudEvents(request)) return reply.type(CLOUD_EVENT).send(toCloudEvent(event) as never)
      return eventDto(event)
    },
  )
  app.post(
    '/api/v1/events',
    {
      config: { access: 'write' },
      // A CloudEvent has another shape; it is checked by who reads it.
      attachValidation: true,
      schema: {
        summary: 'Emit an event',
        body: EmitEventRequest,
        response: {
          200: Type.Union([Event, pageOf(Event)]),
          201: Type.Union([Event, pageOf(Event)]),
          ...errorResponses,
        },
      },
    },
    async (request, reply) => {
      const emitted = emittedEvents(request, context)
      for (const data of emitted.sent) await checkEventData(context.services.eventTypes, data, data.place)
      let seq: number | null = null
      const sent = await idempotentTransaction(context.store, request, reply, async (tx) => {
        const known = await knownCloudEvents(tx, emitted)
        const fresh = emitted.events.filter(({ event_id }) => !known.has(event_id))
        if (fresh.length > 0) seq = (await appendEvents(tx, context.store, fresh)).lastSeq
        const first = (seq ?? 0) - fresh.length + 1
        for (const [i, event] of fresh.entries()) known.set(event.event_id, logged(event, first + i))
        const events = emitted.events.map(({ event_id }) => known.get(event_id)!)
        const status = fresh.length > 0 ? 201 : 200
        return { status, body: emitted.isBatch ? pageBody(events, request.id) : eventDto(events[0]!) }
      })
      if (seq !== null) context.nudge(seq)
      return sent
    },
  )
}

interface Emitted {
  /** Names and data as they were sent, and where the data stands. */
  readonly sent: readonly { readonly name: string; readonly data: JsonObject; readonly place: string }[]
  readonly events: readonly NewEvent[]
  readonly isBatch: boolean
  /** Events that may have come before, by an id of their sender. */
  readonly areCloudEvents: boolean
}

/** The events of a request: one in our shape, or CloudEvents. */
function emittedEvents(
  request: FastifyRequest<{ Body: Static<typeof EmitEventRequest> }>,
  context: ApiContext,
): Emitted {
  const now = context.clock.now()
  const caller = { actor: request.principal.name, correlationId: request.id }
  const sent = cloudEventsOf(request)
  if (sent !== null) {
    const placed = sent.events.map((event, i) => ({ event, place: sent.isBatch ? `body/${i}` : 'body' }))
    const events = placed.map(({ event, place }) => fromCloudEvent(event, place, caller, now))
    return {
      sent: placed.map(({ event, place }, i) => ({
        name: events[i]!.event_name,
        data: cloudEventData(event),
        place: `${place}/data`,
      })),
      events: [...new Map(events.map((event) => [event.event_id, event])).values()],
      isBatch: sent.isBatch,
      areCloudEvents: true,
    }
  }
  if (request.validationError !== undefined) throw request.validationError
  const { body } = request
  refuseOurNames(body.event_name)
  const event: NewEvent = {
    event_id: uuidv7(now.getTime()),
    event_name: body.event_name,
    occurred_at: now,
    env_id: body.env_id ?? 'default',
    actor: caller.actor,
    correlation_id: caller.correlationId,
    run_id: body.run_id ?? null,
    step_id: body.step_id ?? null,
    resource: body.resource ?? null,
    // The body came as JSON, so its members are JSON.
    data: (body.data ?? {}) as JsonObject,
  }
  return {
    sent: [{ name: event.event_name, data: event.data, place: 'body/data' }],
    events: [event],
    isBatch: false,
    areCloudEvents: false,
  }
}

/** CloudEvents with the same source and id are the same event: those that are in the log already. */
async function knownCloudEvents(tx: Tx, { events, areCloudEvents }: Emitted): Promise<Map<string, LoggedEvent>> {
  if (!areCloudEvents) return new Map()
  await lockEventIds(tx)
  const known = await eventsById(
    tx,
    events.map(({ event_id }) => event_id),
  )
  return new Map(known.map((event) => [event.event_id, event]))
}

function pageBody(events: readonly LoggedEvent[], correlationId: string) {
  return { items: events.map(eventDto), next_cursor: null, correlation_id: correlationId }
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
