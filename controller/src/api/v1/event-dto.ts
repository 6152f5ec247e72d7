import Type, { type Static } from 'typebox'
import type { LoggedEvent } from '../../store/ports.ts'
import { SAMPLE } from './samples.ts'
import { JsonMap, Nullable, Time, Uuid } from './schemas.ts'

export const EventResource = Type.Object(
  { type: Type.String({ minLength: 1, maxLength: 63 }), id: Type.String({ minLength: 1, maxLength: 253 }) },
  { additionalProperties: false },
)

export const Event = Type.Object(
  {
    event_id: Uuid,
    event_name: Type.String(),
    occurred_at: Time,
    env_id: Type.String(),
    actor: Type.String({ description: 'who caused it: user:…, agent:…, system' }),
    correlation_id: Type.String(),
    run_id: Nullable(Uuid),
    step_id: Nullable(Uuid),
    resource: Nullable(EventResource),
    data: JsonMap,
    seq: Type.Integer({ description: 'its number in the log: cursor, SSE id and resourceVersion' }),
  },
  { title: 'Event' },
)

export function eventDto(event: LoggedEvent): Static<typeof Event> {
  return {
    event_id: event.event_id,
    event_name: event.event_name,
    occurred_at: event.occurred_at,
    env_id: event.env_id,
    actor: event.actor,
    correlation_id: event.correlation_id,
    run_id: event.run_id,
    step_id: event.step_id,
    resource: event.resource,
    data: { ...event.data },
    seq: event.seq,
  }
}

/** An event name of others: lower-case words with dots. `stateward.` is ours alone. */
export const FOREIGN_EVENT_NAME = '^[a-z][a-z0-9_-]*(\\.[a-z0-9_-]+)+$'

export const sampleEvent: Static<typeof Event> = {
  event_id: SAMPLE.event,
  event_name: 'checkmk.alert',
  occurred_at: SAMPLE.time,
  env_id: 'default',
  actor: 'user:ada',
  correlation_id: SAMPLE.correlation,
  run_id: null,
  step_id: null,
  resource: { type: 'host', id: 'web-1' },
  data: { host: 'web-1', service: 'nginx', state: 'CRIT' },
  seq: 4711,
}
