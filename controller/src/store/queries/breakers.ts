import { type BreakerState, breakerStatesBefore } from '../../lifecycle/breaker.ts'
import type { Executor } from '../database.ts'

export const BREAKER_KINDS = ['Tool', 'Agent', 'ModelProvider'] as const
export type BreakerKind = (typeof BREAKER_KINDS)[number]

/** What becomes of the target while it is open; `notify` is nothing. */
export type BreakerEffect = 'notify' | 'throttle' | 'pause' | 'terminate'

/** What a breaker is on. */
export interface BreakerTarget {
  readonly kind: BreakerKind
  readonly namespace: string
  readonly name: string
}

export interface BreakerRow extends BreakerTarget {
  readonly state: BreakerState
  readonly reason: string
  readonly opened_by: string
  readonly opened_at: Date
  /** When one call may be tried; null = not before somebody resets it. */
  readonly probe_at: Date | null
  readonly cooldown_seconds: number | null
  readonly half_open_at: Date | null
  /** Until when the one that tries has time to say how it went. */
  readonly probe_until: Date | null
  readonly closed_at: Date | null
  readonly closed_by: string | null
  /** How often it was opened. */
  readonly trips: number
  readonly effect: BreakerEffect
  /** Name of the Breaker that opened it; null = another reason. */
  readonly declared_by: string | null
}

export interface Trip {
  readonly reason: string
  readonly actor: string
  readonly at: Date
  /** Null = it stays open until it is reset. */
  readonly cooldownSeconds: number | null
  /** Default: pause. */
  readonly effect?: BreakerEffect
  readonly declaredBy?: string
}

/** Opens a breaker, whatever its state. */
export async function openBreaker(
  tx: Executor,
  { kind, namespace, name }: BreakerTarget,
  trip: Trip,
): Promise<BreakerRow> {
  const { reason, actor, at, cooldownSeconds: cooldown, effect = 'pause', declaredBy = null } = trip
  const probeAt = cooldown === null ? null : new Date(at.getTime() + cooldown * 1000)
  const [row] = await tx<BreakerRow[]>`
    INSERT INTO breakers (kind, namespace, name, state, reason, opened_by, opened_at, probe_at, cooldown_seconds, effect, declared_by)
    VALUES (${kind}, ${namespace}, ${name}, 'open', ${reason}, ${actor}, ${at}, ${probeAt}, ${cooldown}, ${effect}, ${declaredBy})
    ON CONFLICT (kind, namespace, name) DO UPDATE
      SET state = 'open', reason = excluded.reason, opened_by = excluded.opened_by, opened_at = excluded.opened_at,
          probe_at = excluded.probe_at, cooldown_seconds = excluded.cooldown_seconds, half_open_at = NULL, probe_until = NULL,
          effect = excluded.effect, declared_by = excluded.declared_by, closed_at = NULL, closed_by = NULL, trips = breakers.trips + 1
    RETURNING *`
  return row!
}

/** Null when it is not open. */
export async function closeBreaker(
  tx: Executor,
  { kind, namespace, name }: BreakerTarget,
  by: { readonly actor: string; readonly at: Date },
): Promise<BreakerRow | null> {
  const [row] = await tx<BreakerRow[]>`
    UPDATE breakers SET state = 'closed', closed_at = ${by.at}, closed_by = ${by.actor}, half_open_at = NULL, probe_until = NULL
    WHERE kind = ${kind} AND namespace = ${namespace} AND name = ${name}
      AND state = ANY(${breakerStatesBefore('closed')}::text[]) RETURNING *`
  return row ?? null
}

/**
 * Takes the one try of a breaker whose cooldown is over, or the try of somebody who never said how it went. Null when
 * somebody else has it, or it is not time yet.
 */
export async function takeProbe(
  tx: Executor,
  { kind, namespace, name }: BreakerTarget,
  time: { readonly at: Date; readonly until: Date },
): Promise<BreakerRow | null> {
  const [row] = await tx<BreakerRow[]>`
    UPDATE breakers SET state = 'half_open', half_open_at = ${time.at}, probe_until = ${time.until}
    WHERE kind = ${kind} AND namespace = ${namespace} AND name = ${name}
      AND (state = ANY(${breakerStatesBefore('half_open')}::text[]) AND probe_at <= ${time.at}
           OR state = 'half_open' AND probe_until <= ${time.at})
    RETURNING *`
  return row ?? null
}

export async function breakerOf(sql: Executor, { kind, namespace, name }: BreakerTarget): Promise<BreakerRow | null> {
  const [row] = await sql<BreakerRow[]>`
    SELECT * FROM breakers WHERE kind = ${kind} AND namespace = ${namespace} AND name = ${name}`
  return row ?? null
}

/** Those that are open or half open. */
export async function openBreakers(sql: Executor, kind: BreakerKind): Promise<BreakerRow[]> {
  return sql<BreakerRow[]>`SELECT * FROM breakers WHERE kind = ${kind} AND state <> 'closed'`
}

export interface BreakerPage {
  readonly namespace: string | null
  readonly state: BreakerState | null
  readonly after: BreakerTarget | null
  readonly limit: number
}

/** By kind, namespace and name; those that were never opened have no row. */
export async function pageBreakers(
  sql: Executor,
  { namespace, state, after, limit }: BreakerPage,
): Promise<BreakerRow[]> {
  return sql<BreakerRow[]>`
    SELECT * FROM breakers WHERE true
      ${namespace === null ? sql`` : sql`AND namespace = ${namespace}`}
      ${state === null ? sql`` : sql`AND state = ${state}`}
      ${after === null ? sql`` : sql`AND (kind, namespace, name) > (${after.kind}, ${after.namespace}, ${after.name})`}
    ORDER BY kind, namespace, name LIMIT ${limit}`
}

/** How the last tasks of an agent ended since a time, the newest first; cancelled ones say nothing. */
export async function lastTaskEnds(
  sql: Executor,
  agent: { readonly namespace: string; readonly name: string },
  since: Date,
  limit: number,
): Promise<('completed' | 'failed')[]> {
  const rows = await sql<{ status: 'completed' | 'failed' }[]>`
    SELECT status FROM tasks
    WHERE namespace = ${agent.namespace} AND agent = ${agent.name} AND status IN ('completed', 'failed') AND completed_at > ${since}
    ORDER BY completed_at DESC LIMIT ${limit}`
  return rows.map(({ status }) => status)
}

/** What a Breaker opened, the closed ones too. */
export async function breakersOpenedBy(sql: Executor, namespace: string, name: string): Promise<BreakerRow[]> {
  return sql<BreakerRow[]>`
    SELECT * FROM breakers WHERE namespace = ${namespace} AND declared_by = ${name} ORDER BY kind, name`
}
