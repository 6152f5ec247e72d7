import type { Tx } from './database.ts'
import { LOG_CHANNEL } from './log-channel.ts'
import { batchDigest, eventDigest } from './log-digest.ts'
import type { LogPosition, NewEvent } from './ports.ts'
import { type EventColumns, insertBatch } from './queries/events.ts'
import type { Store } from './store.ts'

export { type LogVerdict, type VerifyOptions, verifyLog } from './log-verify.ts'
export { logHead, readEvents } from './queries/events.ts'

/**
 * Appends events to the log in the order given and returns where they stand. One statement whatever their number: it
 * takes the numbers from `log_head`, which stays locked to the end of the transaction, so numbers have no gaps and
 * become visible in order. Call it last: it is the last contended lock a transaction takes. Throws on an empty list.
 *
 * `n` is given only by who sends a batch again after a lost connection.
 */
export async function appendEvents(
  tx: Tx,
  store: Pick<Store, 'writer' | 'partitions'>,
  events: readonly NewEvent[],
  n: number = store.writer.nextBatch(),
): Promise<LogPosition> {
  if (events.length === 0) throw new RangeError('a batch of the log needs at least one event')
  const columns = columnsOf(events)
  const position = await insertBatch(tx, {
    channel: LOG_CHANNEL,
    writer: store.writer.id,
    n,
    digest: batchDigest(columns.digest),
    columns,
  })
  store.partitions.reached(position.lastSeq)
  return { ...position, n }
}

function columnsOf(events: readonly NewEvent[]): EventColumns {
  return {
    event_id: events.map((event) => event.event_id),
    event_name: events.map((event) => event.event_name),
    occurred_at: events.map((event) => event.occurred_at.toISOString()),
    env_id: events.map((event) => event.env_id),
    actor: events.map((event) => event.actor),
    correlation_id: events.map((event) => event.correlation_id),
    run_id: events.map((event) => event.run_id ?? null),
    step_id: events.map((event) => event.step_id ?? null),
    resource_type: events.map((event) => event.resource?.type ?? null),
    resource_id: events.map((event) => event.resource?.id ?? null),
    data: events.map((event) => JSON.stringify(event.data)),
    digest: events.map((event) => eventDigest(event)),
  }
}
