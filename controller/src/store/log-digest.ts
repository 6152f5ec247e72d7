import { hash } from 'node:crypto'
import { canonicalJson } from '../lib/digest.ts'
import type { NewEvent } from './ports.ts'

/** sha256 over the digests of a batch's rows, in order. */
export function batchDigest(rows: readonly Uint8Array[]): Buffer {
  return hash('sha256', Buffer.concat(rows), 'buffer')
}

/**
 * sha256 of the event as the API shows it, keys sorted, without its number: what the log vouches for.
 * The number is covered by the row's place in its batch.
 */
export function eventDigest(event: NewEvent, data = canonicalJson(event.data)): Buffer {
  // The members by hand, in the order of their names: this is done for every event there is.
  const { resource } = event
  const canonical = [
    `{"actor":${canonicalJson(event.actor)}`,
    `"correlation_id":${canonicalJson(event.correlation_id)}`,
    `"data":${data}`,
    `"env_id":${canonicalJson(event.env_id)}`,
    // Lower case, as the database writes a uuid.
    `"event_id":"${event.event_id.toLowerCase()}"`,
    `"event_name":${canonicalJson(event.event_name)}`,
    `"occurred_at":"${event.occurred_at.toISOString()}"`,
    `"resource":${resource == null ? 'null' : canonicalJson(resource)}`,
    `"run_id":${uuidText(event.run_id)}`,
    `"step_id":${uuidText(event.step_id)}}`,
  ].join()
  return hash('sha256', canonical, 'buffer')
}

function uuidText(id: string | null | undefined): string {
  return id == null ? 'null' : `"${id.toLowerCase()}"`
}
