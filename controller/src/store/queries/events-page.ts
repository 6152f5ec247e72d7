import type { Executor } from '../database.ts'
import type { LoggedEvent } from '../ports.ts'
import { type EventRow, loggedEvent } from './events.ts'

export interface EventPage {
  /** `desc` = the newest first. */
  readonly order: 'asc' | 'desc'
  /** The page starts behind this number in its order; null = at the end the order begins with. */
  readonly cursor: number | null
  readonly limit: number
  /** Exact name, or a pattern with `*`. */
  readonly name: string | null
  readonly runId: string | null
  readonly resource: { readonly type: string | null; readonly id: string | null }
  readonly correlationId: string | null
  readonly envId: string | null
  /** Only numbers below this one. */
  readonly before?: number | null
  readonly actor?: string | null
  readonly stepId?: string | null
  /** Only what tells that something went wrong, by these words and names; null = all. */
  readonly failures?: FailureRule | null
}

export interface FailureRule {
  /** Last words of names. */
  readonly words: readonly string[]
  readonly names: readonly string[]
  /** The event that says in `ready` how an object stands. */
  readonly statusEvent: string
}

/** A page of the log in either direction. */
export async function pageEvents(sql: Executor, page: EventPage): Promise<LoggedEvent[]> {
  const { resource } = page
  const rows = await sql<EventRow[]>`
    SELECT seq, event_id, event_name, occurred_at, env_id, actor, correlation_id, run_id, step_id, resource_type, resource_id, data
    FROM events
    WHERE true
      ${page.cursor === null ? sql`` : page.order === 'asc' ? sql`AND seq > ${page.cursor}` : sql`AND seq < ${page.cursor}`}
      ${page.name === null ? sql`` : page.name.includes('*') ? sql`AND event_name LIKE ${likeOf(page.name)}` : sql`AND event_name = ${page.name}`}
      ${page.runId === null ? sql`` : sql`AND run_id = ${page.runId}`}
      ${resource.type === null ? sql`` : sql`AND resource_type = ${resource.type}`}
      ${resource.id === null ? sql`` : sql`AND resource_id = ${resource.id}`}
      ${page.correlationId === null ? sql`` : sql`AND correlation_id = ${page.correlationId}`}
      ${page.envId === null ? sql`` : sql`AND env_id = ${page.envId}`}
      ${page.before == null ? sql`` : sql`AND seq < ${page.before}`}
      ${page.actor == null ? sql`` : sql`AND actor = ${page.actor}`}
      ${page.stepId == null ? sql`` : sql`AND step_id = ${page.stepId}`}
      ${page.failures == null ? sql`` : failing(sql, page.failures)}
    ORDER BY ${page.order === 'desc' ? sql`seq DESC` : sql`seq`}
    LIMIT ${page.limit}`
  return rows.map(loggedEvent)
}

const failing = (sql: Executor, { words, names, statusEvent }: FailureRule) => sql`
  AND (substring(event_name from '[^.]+$') = ANY(${[...words]}) OR event_name = ANY(${[...names]})
       OR (event_name = ${statusEvent} AND data ->> 'ready' = 'False'))`

export async function eventById(sql: Executor, eventId: string): Promise<LoggedEvent | null> {
  const [row] = await sql<EventRow[]>`
    SELECT seq, event_id, event_name, occurred_at, env_id, actor, correlation_id, run_id, step_id, resource_type, resource_id, data
    FROM events WHERE event_id = ${eventId} ORDER BY seq LIMIT 1`
  return row === undefined ? null : loggedEvent(row)
}

/** The oldest number that is still held, or null for an empty log. */
export async function oldestSeq(sql: Executor): Promise<number | null> {
  const [row] = await sql<{ seq: number }[]>`SELECT seq FROM events ORDER BY seq LIMIT 1`
  return row?.seq ?? null
}

/** `checkmk.*` as a LIKE pattern; what LIKE would read as a wildcard is taken as it stands. */
function likeOf(glob: string): string {
  return glob.replaceAll(/[\\%_]/g, '\\$&').replaceAll('*', '%')
}

/** Events with these ids that are held. */
export async function eventsById(sql: Executor, ids: readonly string[]): Promise<LoggedEvent[]> {
  const rows = await sql<EventRow[]>`
    SELECT seq, event_id, event_name, occurred_at, env_id, actor, correlation_id, run_id, step_id, resource_type, resource_id, data
    FROM events WHERE event_id = ANY(${[...ids]}::uuid[]) ORDER BY seq`
  return rows.map(loggedEvent)
}

/** To the end of the transaction, nobody else adds events with ids of their senders. */
export async function lockEventIds(tx: Executor): Promise<void> {
  await tx`SELECT pg_advisory_xact_lock(hashtext('stateward.event_ids'))`
}
