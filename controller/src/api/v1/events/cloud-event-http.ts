import type { IncomingHttpHeaders } from 'node:http'
import { fail } from '../../../lib/error-catalogue.ts'
import { isObject, type Json, type JsonObject } from '../../../lib/json.ts'

/** The HTTP binding of CloudEvents 1.0: structured, batched and binary mode. */

export const CLOUD_EVENT = 'application/cloudevents+json'
export const CLOUD_EVENTS_BATCH = 'application/cloudevents-batch+json'
const MAX_BATCH = 1000
const PREFIX = 'ce-'

export interface SentCloudEvents {
  readonly events: readonly JsonObject[]
  readonly isBatch: boolean
}

interface Sent {
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

/** The CloudEvents of a request, unchecked; null when it is none. */
export function cloudEventsOf({ body, headers }: Sent): SentCloudEvents | null {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase()
  if (type === CLOUD_EVENT) return { events: [eventIn(body)], isBatch: false }
  if (type === CLOUD_EVENTS_BATCH) {
    if (!Array.isArray(body) || body.length === 0 || body.length > MAX_BATCH)
      throw fail('SW_BAD_REQUEST', `a batch is a JSON array of 1 to ${MAX_BATCH} CloudEvents`)
    return { events: body.map(eventIn), isBatch: true }
  }
  if (headers['ce-specversion'] === undefined) return null
  const attributes = Object.entries(headers).flatMap(([name, value]): [string, Json][] =>
    name.startsWith(PREFIX) && typeof value === 'string' ? [[name.slice(PREFIX.length), percentDecoded(value)]] : [],
  )
  const data = body === undefined || body === null ? {} : { data: body as Json }
  // A header of that name is an attribute of no event.
  return {
    events: [{ ...Object.fromEntries(attributes.filter(([name]) => !name.startsWith('data'))), ...data }],
    isBatch: false,
  }
}

/** Whether the reader asks for CloudEvents. */
export function wantsCloudEvents(headers: IncomingHttpHeaders): boolean {
  return (headers.accept ?? '')
    .split(',')
    .some((part) => [CLOUD_EVENT, CLOUD_EVENTS_BATCH].includes(part.split(';', 1)[0]!.trim().toLowerCase()))
}

function eventIn(value: unknown): JsonObject {
  if (!isObject(value)) throw fail('SW_BAD_REQUEST', 'a CloudEvent is a JSON object')
  return value as JsonObject
}

function percentDecoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    // Not encoded after all.
    return value
  }
}
