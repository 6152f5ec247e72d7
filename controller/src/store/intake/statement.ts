import { arrays, type Cells, type Column, cellsOf, selectList, unnest } from '../journal/columns.ts'
import { type DigestedEvent, EVENTS } from '../journal/tables.ts'
import { batchDigest } from '../log-digest.ts'
import { DELIVERIES, MESSAGES, type NewMessage } from './tables.ts'

/** One thing that came in: an event, and the message it tells of, if it is about one. */
export interface IntakeRows {
  readonly event: DigestedEvent
  readonly message: NewMessage | null
}

export interface IntakeResult {
  readonly held: boolean
  /** Number of the last event; null when the writer's row was gone. */
  readonly last_seq: number | null
}

/** $1 writer, $2 n, $3 events, $4 digest of the events (hex), $5 channel; then the columns of the tables. */
const FIRST_ARRAY = 6
/** The place of the event is no column of a row: its number follows from it. */
const names = (columns: readonly { readonly name: string }[]): string =>
  columns
    .map(({ name }) => name)
    .filter((name) => name !== 'event_place')
    .join(', ')

/**
 * A whole batch in one statement: the writer's row is locked (no row, nothing is written), the log's head gives the numbers,
 * and events, messages and deliveries land with them. Whoever takes numbers takes the head first, so no two of these wait
 * for each other.
 */
function statement(withMessages: boolean): string {
  const first = { events: FIRST_ARRAY, messages: FIRST_ARRAY + EVENTS.length, deliveries: 0 }
  first.deliveries = first.messages + MESSAGES.length
  const rows = <Row>(columns: readonly Column<Row>[], at: number, alias: string) => unnest(columns, at, alias)
  const [message, delivery] = [MESSAGES.slice(1), DELIVERIES.slice(1)]
  const messages = `, sent AS (
    INSERT INTO messages (seq, ${names(MESSAGES)})
    SELECT head.seq - $3::bigint + m.event_place, ${selectList(message, 'm')} FROM head, ${rows(MESSAGES, first.messages, 'm')}
  ), delivered AS (
    INSERT INTO deliveries (seq, ${names(DELIVERIES)})
    SELECT head.seq - $3::bigint + d.event_place, ${selectList(delivery, 'd')} FROM head, ${rows(DELIVERIES, first.deliveries, 'd')}
  )`
  return `WITH held AS MATERIALIZED (SELECT id FROM writers WHERE id = $1::uuid FOR KEY SHARE), head AS (
    UPDATE log_head h SET seq = h.seq + $3::bigint, hash = sha256(h.hash || decode($4::text, 'hex')) FROM held WHERE h.one
    RETURNING h.seq, h.hash
  ), batch AS (
    INSERT INTO log_batches (writer, n, first_seq, last_seq, digest, hash)
    SELECT $1::uuid, $2::bigint, seq - $3::bigint + 1, seq, decode($4::text, 'hex'), hash FROM head
  ), appended AS (
    INSERT INTO events (seq, ${names(EVENTS)})
    SELECT head.seq - $3::bigint + e.place, ${selectList(EVENTS, 'e')} FROM head, ${rows(EVENTS, first.events, 'e')}
  )${withMessages ? messages : ''}
  SELECT EXISTS (SELECT FROM held) AS held, (SELECT seq FROM head) AS last_seq,
         (SELECT pg_notify($5::text, seq::text) FROM head)`
    .replaceAll(/\s+/g, ' ')
    .trim()
}

const EVENTS_ONLY = statement(false)
const WITH_MESSAGES = statement(true)

/** Every statement there is. */
export const INTAKE_STATEMENTS = [EVENTS_ONLY, WITH_MESSAGES]

/** These rows, in order, as one batch: a statement and its parameters. */
export function intakeBatch(
  rows: readonly IntakeRows[],
  batch: { readonly writer: string; readonly n: number; readonly channel: string },
): { readonly statement: string; readonly parameters: readonly (string | number)[] } {
  const messages: Cells[] = []
  const deliveries: Cells[] = []
  for (const [i, { message }] of rows.entries()) {
    if (message === null) continue
    const event_place = i + 1
    const { message_id, namespace, expires_at, recipients } = message
    messages.push(cellsOf(MESSAGES, { ...message, event_place }))
    for (const agent of recipients)
      deliveries.push(cellsOf(DELIVERIES, { event_place, message_id, namespace, agent, expires_at }))
  }
  const events = rows.map(({ event }) => cellsOf(EVENTS, event))
  const digest = batchDigest(rows.map(({ event }) => event.digest)).toString('hex')
  const parameters = [batch.writer, batch.n, rows.length, digest, batch.channel, ...arrays(EVENTS, events)]
  if (messages.length === 0) return { statement: EVENTS_ONLY, parameters }
  return {
    statement: WITH_MESSAGES,
    parameters: [...parameters, ...arrays(MESSAGES, messages), ...arrays(DELIVERIES, deliveries)],
  }
}
