import { fail } from '../../../lib/error-catalogue.ts'
import { isUuid, uuidOf } from '../../../lib/ids.ts'
import { isObject, type Json, type JsonObject } from '../../../lib/json.ts'
import type { LoggedEvent, NewEvent } from '../../../store/ports.ts'
import { FOREIGN_EVENT_NAME } from '../event-dto.ts'

/** CloudEvents 1.0 (https://github.com/cloudevents/spec), JSON format. */
export interface CloudEvent {
  readonly specversion: '1.0'
  readonly id: string
  readonly source: string
  readonly type: string
  readonly time: string
  readonly subject?: string
  readonly datacontenttype: 'application/json'
  readonly correlationid: string
  /** The number in the log: decimal. */
  readonly sequence: string
  readonly data: JsonObject
}

/** An event of the log as others read it: id, type, time and data as they are, `/stateward/<environment>` as its source. */
export function toCloudEvent(event: LoggedEvent): CloudEvent {
  const subject = subjectOf(event)
  return {
    specversion: '1.0',
    id: event.event_id,
    source: `/stateward/${event.env_id}`,
    type: event.event_name,
    time: event.occurred_at,
    ...(subject === null ? {} : { subject }),
    datacontenttype: 'application/json',
    correlationid: event.correlation_id,
    sequence: String(event.seq),
    data: { ...event.data },
  }
}

/** `<kind>/<name>` where the event tells the name of what it is about, else `<kind>/<id>`. */
function subjectOf({ resource, data }: LoggedEvent): string | null {
  if (resource === null) return null
  const name = resource.type === 'Run' ? data['run'] : resource.type === 'Blueprint' ? data['blueprint'] : data['name']
  return `${resource.type}/${typeof name === 'string' ? name : resource.id}`
}

const ATTRIBUTE = /^[a-z0-9]{1,63}$/
const NAME = new RegExp(FOREIGN_EVENT_NAME)
const MAX_TEXT = 2048
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i
/** What has a place of its own in an event. */
const MAPPED = ['specversion', 'id', 'type', 'time', 'correlationid', 'data', 'data_base64']

/**
 * A CloudEvent of others as an event. Its source, subject and further attributes go to `data.ce`; data that is no object goes
 * to `data.value`, bytes to `data.base64`. The same source and id give the same event_id. A time in the future is not
 * believed: the event has the time it came, and `data.ce.time` the one that was sent.
 * SW_VALIDATION_FAILED: everything that is wrong with it. SW_FORBIDDEN: a type that begins with `stateward.`.
 */
export function fromCloudEvent(
  sent: JsonObject,
  place: string,
  caller: { readonly actor: string; readonly correlationId: string },
  now: Date,
): NewEvent {
  const violations = violationsOf(sent).map(([attribute, message]) => ({ path: `${place}/${attribute}`, message }))
  if (violations.length > 0) {
    const [first] = violations
    throw fail('SW_VALIDATION_FAILED', `${first!.path} ${first!.message}`, { details: { violations } })
  }
  const { id, source, type, time, correlationid } = sent as { id: string; source: string; type: string } & JsonObject
  refuseOurNames(type)
  const at = typeof time === 'string' ? new Date(time) : now
  const others = Object.entries(sent).filter(([name, value]) => !MAPPED.includes(name) && value !== null)
  const ce = { ...Object.fromEntries(others), id, ...(at > now ? { time: time! } : {}) }
  return {
    event_id: isUuid(id.toLowerCase()) ? id.toLowerCase() : uuidOf(`cloudevent ${source} ${id}`),
    event_name: type,
    occurred_at: at > now ? now : at,
    env_id: 'default',
    actor: caller.actor,
    correlation_id: isCorrelationId(correlationid) ? correlationid : caller.correlationId,
    data: { ...cloudEventData(sent), ce },
  }
}

export function refuseOurNames(name: string): void {
  if (name.startsWith('stateward.')) {
    throw fail('SW_FORBIDDEN', 'names that begin with "stateward." are written by Stateward alone', {
      remedy: 'choose another first word',
    })
  }
}

/** What it carries, without what is said about it: an object in any case. */
export function cloudEventData(sent: JsonObject): JsonObject {
  const { data, data_base64: base64 } = sent
  if (typeof base64 === 'string') return { base64 }
  if (data === undefined || data === null) return {}
  return isObject(data) ? (data as JsonObject) : { value: data }
}

function isCorrelationId(value: Json | undefined): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(value)
}

function violationsOf(sent: JsonObject): [string, string][] {
  const violations: [string, string][] = []
  if (sent['specversion'] !== '1.0') violations.push(['specversion', 'has to be 1.0'])
  for (const name of ['id', 'source', 'type']) {
    const value = sent[name]
    if (typeof value !== 'string' || value === '') violations.push([name, 'is required, as text'])
    else if (value.length > MAX_TEXT) violations.push([name, `is longer than ${MAX_TEXT} characters`])
  }
  const { type, time, data, data_base64: base64 } = sent
  if (typeof type === 'string' && type !== '' && (type.length > 200 || !NAME.test(type)))
    violations.push(['type', 'has to be lower-case words with dots, for example checkmk.alert'])
  if (
    time !== undefined &&
    time !== null &&
    !(typeof time === 'string' && RFC3339.test(time) && !Number.isNaN(Date.parse(time)))
  )
    violations.push(['time', 'is not a time as RFC 3339 writes it'])
  if (data !== undefined && base64 !== undefined) violations.push(['data_base64', 'cannot be there beside data'])
  if (base64 !== undefined && typeof base64 !== 'string') violations.push(['data_base64', 'has to be text'])
  for (const [name, value] of Object.entries(sent)) {
    if (name === 'data' || name === 'data_base64') continue
    if (!ATTRIBUTE.test(name)) violations.push([name, 'is no name of an attribute: lower-case letters and digits'])
    else if (typeof value === 'object' && value !== null)
      violations.push([name, 'has to be a text, a number or a boolean'])
    else if (typeof value === 'string' && value.length > MAX_TEXT)
      violations.push([name, `is longer than ${MAX_TEXT} characters`])
  }
  return violations
}
