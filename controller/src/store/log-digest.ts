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
export function eventDigest(event: NewEvent): Buffer {
  const canonical = canonicalJson({
    // Lower case, as the database writes a uuid.
    event_id: event.event_id.toLowerCase(),
    event_name: event.event_name,
    occurred_at: event.occurred_at.toISOString(),
    env_id: event.env_id,
    actor: event.actor,
    correlation_id: event.correlation_id,
    run_id: event.run_id?.toLowerCase() ?? null,
    step_id: event.step_id?.toLowerCase() ?? null,
    resource: event.resource ?? null,
    data: event.data,
  })
  return hash('sha256', canonical, 'buffer')
}
