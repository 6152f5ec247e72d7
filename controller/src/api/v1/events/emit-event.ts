import Type, { type Static } from 'typebox'
import { checkEventData } from '../../../events/declared-types.ts'
import { uuidv7 } from '../../../lib/ids.ts'
import type { JsonObject } from '../../../lib/json.ts'
import type { Tx } from '../../../store/database.ts'
import { appendEvents } from '../../../store/log.ts'
import type { LoggedEvent, NewEvent } from '../../../store/ports.ts'
import { eventsById, lockEventIds } from '../../../store/queries/events-page.ts'
import { type Call, route } from '../../http/route.ts'
import { Event, EventResource, eventDto, FOREIGN_EVENT_NAME, sampleEvent } from '../event-dto.ts'
import { JsonMap, Name, Nullable, only, Uuid } from '../schemas.ts'
import { cloudEventsOf } from './cloud-event-http.ts'
import { cloudEventData, fromCloudEvent, refuseOurNames } from './cloud-events.ts'

const EmitEventRequest = only(
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
  { title: 'EmitEventRequest' },
)

export const emitEvent = route({
  operation: 'emitEvent',
  method: 'POST',
  path: '/api/v1/events',
  tag: 'events',
  access: 'events.emit',
  summary: 'Emit an event',
  description:
    'Blueprints with a trigger for it start. Names that begin with `stateward.` are written by Stateward alone. CloudEvents 1.0 are taken too: structured (`application/cloudevents+json`), batched (`application/cloudevents-batch+json`, answered with a page) and binary; one that came before, by source and id, is answered with 200 and not written again. Data of an event that an EventType declares has to fit its schema.',
  foreignBodies: true,
  body: EmitEventRequest,
  answers: { 200: Event, 201: Event },
  example: {
    body: { event_name: sampleEvent.event_name, resource: sampleEvent.resource, data: sampleEvent.data },
    answer: sampleEvent,
  },
  async prepare(call, { clock, services }) {
    const emitted = emittedEvents(call, clock.now())
    for (const data of emitted.sent) await checkEventData(services.eventTypes, data, data.place)
    return emitted
  },
  async direct(call, context, { events, areCloudEvents }) {
    // Of CloudEvents it has to be seen which came before.
    if (areCloudEvents) return null
    const [event] = events
    const seq = await context.store.intake.append(event!)
    context.nudge(seq)
    call.status(201)
    return eventDto(logged(event!, seq))
  },
  async transact(tx, call, context, emitted) {
    const known = await knownCloudEvents(tx, emitted)
    const fresh = emitted.events.filter(({ event_id }) => !known.has(event_id))
    if (fresh.length > 0) {
      const { lastSeq } = await appendEvents(tx, context.store, fresh)
      const first = lastSeq - fresh.length + 1
      for (const [i, event] of fresh.entries()) known.set(event.event_id, logged(event, first + i))
      call.committed(() => context.nudge(lastSeq))
    }
    call.status(fresh.length > 0 ? 201 : 200)
    const events = emitted.events.map(({ event_id }) => eventDto(known.get(event_id)!))
    if (!emitted.isBatch) return events[0]!
    // Another shape, for who sent another.
    return { items: events, next_cursor: null, correlation_id: call.correlationId } as never
  },
})

interface Emitted {
  /** Names and data as they were sent, and where the data stands. */
  readonly sent: readonly { readonly name: string; readonly data: JsonObject; readonly place: string }[]
  readonly events: readonly NewEvent[]
  readonly isBatch: boolean
  /** Events that may have come before, by an id of their sender. */
  readonly areCloudEvents: boolean
}

/** The events of a request: one in our shape, or CloudEvents. */
function emittedEvents(call: Call<undefined, undefined, Static<typeof EmitEventRequest>>, now: Date): Emitted {
  const { body, caller, misfit } = call
  const sent = cloudEventsOf(call)
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
  if (misfit !== null) throw misfit
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
