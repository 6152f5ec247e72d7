import type { Executor, Tx } from '../database.ts'
import type { BudgetScopeKind } from './budgets.ts'

export type ReservationState = 'waiting' | 'reserved' | 'settled' | 'released'
export type Usage = 'reported' | 'declared' | 'unknown'

/** Money that is kept for one thing. Amounts are nano-USD. */
export interface ReservationRow {
  /** `<run>/<step path>/<attempt>`. */
  readonly id: string
  readonly state: ReservationState
  readonly accounts: readonly string[]
  readonly amount: bigint
  /** Of it, what was reported and is in the ledger already. */
  readonly reported: bigint
  /** What it came to in the end; null while it is open. */
  readonly charged: bigint | null
  readonly usage: Usage | null
  readonly namespace: string
  readonly project: string | null
  readonly agents: readonly string[]
  readonly blueprint: string | null
  readonly run_id: string | null
  readonly step: string | null
  readonly attempt: number | null
  readonly tool: string | null
  readonly provider: string | null
  readonly model: string | null
  readonly revision: string | null
  readonly actor: string
  readonly correlation_id: string
  readonly created_at: Date
  readonly ended_at: Date | null
}

type Sent = Omit<ReservationRow, 'amount' | 'reported' | 'charged'> & {
  readonly amount: string
  readonly reported: string
  readonly charged: string | null
}

const columns = (sql: Executor) => sql`
  q.id, q.state, q.accounts, q.amount::text, q.reported::text, q.charged::text, q.usage, q.namespace, q.project, q.agents, q.blueprint, q.run_id, q.step,
  q.attempt, q.tool, q.provider, q.model, q.revision, q.actor, q.correlation_id, q.created_at, q.ended_at`

function rowOf(row: Sent): ReservationRow {
  return {
    ...row,
    amount: BigInt(row.amount),
    reported: BigInt(row.reported),
    charged: row.charged === null ? null : BigInt(row.charged),
  }
}

export async function lockReservation(tx: Tx, id: string): Promise<ReservationRow | null> {
  const [row] = await tx<Sent[]>`SELECT ${columns(tx)} FROM budget_reservations q WHERE id = ${id} FOR UPDATE`
  return row === undefined ? null : rowOf(row)
}

export async function putReservation(tx: Executor, row: ReservationRow): Promise<void> {
  const sent = {
    ...row,
    accounts: [...row.accounts],
    agents: [...row.agents],
    amount: String(row.amount),
    reported: String(row.reported),
    charged: row.charged === null ? null : String(row.charged),
  }
  const { id: _, ...changed } = sent
  await tx`INSERT INTO budget_reservations ${tx(sent)} ON CONFLICT (id) DO UPDATE SET ${tx(changed)}`
}

/** Open ones whose spending an account limits; they are what is not in the ledger yet. */
export async function adoptReservations(
  tx: Executor,
  account: {
    readonly account: string
    readonly namespace: string
    readonly kind: BudgetScopeKind
    readonly name: string
  },
): Promise<bigint> {
  const [row] = await tx<{ total: string }[]>`
    WITH adopted AS (
      UPDATE budget_reservations q SET accounts = array_append(array_remove(accounts, ${account.account}), ${account.account})
      WHERE q.state IN ('waiting', 'reserved') AND ${inScope(tx, account)}
      RETURNING state, amount, reported
    )
    SELECT coalesce(sum(greatest(amount - reported, 0)) FILTER (WHERE state = 'reserved'), 0)::text AS total FROM adopted`
  return BigInt(row!.total)
}

/** Takes an account out of everything that is open. */
export async function leaveReservations(tx: Executor, account: string): Promise<void> {
  await tx`
    UPDATE budget_reservations SET accounts = array_remove(accounts, ${account})
    WHERE state IN ('waiting', 'reserved') AND ${account} = ANY(accounts)`
}

function inScope(
  sql: Executor,
  { namespace, kind, name }: { readonly namespace: string; readonly kind: BudgetScopeKind; readonly name: string },
) {
  switch (kind) {
    case 'Environment':
      return sql`q.namespace = ${name}`
    case 'Project':
      return sql`q.namespace = ${namespace} AND q.project = ${name}`
    case 'Agent':
      return sql`q.namespace = ${namespace} AND ${name} = ANY(q.agents)`
    case 'Blueprint':
      return sql`q.namespace = ${namespace} AND q.blueprint = ${name}`
    case 'ModelProvider':
      return sql`q.provider = ${name}`
    case 'Run':
      return sql`q.run_id = ${name}::uuid`
  }
}

/** What waits for money, the longest first, and has not been told to ask again. */
export async function waitingReservations(sql: Executor, limit: number): Promise<ReservationRow[]> {
  const rows = await sql<Sent[]>`
    SELECT ${columns(sql)} FROM budget_reservations q
    WHERE q.state = 'waiting' AND NOT EXISTS (
      SELECT FROM run_inbox i WHERE i.run_id = q.run_id AND i.path = q.step AND i.kind = 'resume' AND i.consumed_at IS NULL)
    ORDER BY q.created_at LIMIT ${limit}`
  return rows.map(rowOf)
}

/**
 * Open ones of what was over before a time: the process that was to settle them has gone. `outcome` is what its effect came to; null = it never
 * began, or it was an agent's task.
 */
export async function forgottenReservations(
  sql: Executor,
  before: Date,
  limit: number,
): Promise<(ReservationRow & { readonly outcome: 'succeeded' | 'failed' | 'unknown' | 'none' | 'task' })[]> {
  const rows = await sql<(Sent & { outcome: 'succeeded' | 'failed' | 'unknown' | 'none' | 'task' })[]>`
    SELECT ${columns(sql)}, CASE
        WHEN q.tool IS NULL THEN 'task'
        WHEN e.operation_id IS NULL THEN 'none'
        WHEN e.state IN ('succeeded', 'failed') THEN e.state
        ELSE 'unknown' END AS outcome
    FROM budget_reservations q
    LEFT JOIN effects e ON e.operation_id = q.id
    LEFT JOIN runs r ON r.run_id = q.run_id
    LEFT JOIN steps s ON s.run_id = q.run_id AND s.path = q.step AND s.attempt = q.attempt
    WHERE q.state IN ('waiting', 'reserved') AND q.run_id IS NOT NULL
      AND (r.run_id IS NULL OR r.completed_at < ${before} OR s.status IN ('completed', 'failed', 'skipped') AND s.completed_at < ${before}
        OR e.state IN ('succeeded', 'failed') AND e.ended_at < ${before})
    ORDER BY q.created_at LIMIT ${limit}`
  return rows.map((row) => ({ ...rowOf(row), outcome: row.outcome }))
}

/** The open reservation of a task, by the step it belongs to. */
export async function lockReservationOfStep(
  tx: Tx,
  step: { readonly run_id: string; readonly path: string },
): Promise<ReservationRow | null> {
  const [row] = await tx<Sent[]>`
    SELECT ${columns(tx)} FROM budget_reservations q
    WHERE q.run_id = ${step.run_id} AND q.step = ${step.path} AND q.state = 'reserved'
    ORDER BY q.attempt DESC LIMIT 1 FOR UPDATE`
  return row === undefined ? null : rowOf(row)
}

/** Whether money is kept for a step. */
export async function isMoneyKeptFor(
  sql: Executor,
  step: { readonly run_id: string; readonly path: string },
): Promise<boolean> {
  const rows = await sql`
    SELECT 1 FROM budget_reservations q
    WHERE q.run_id = ${step.run_id} AND q.step = ${step.path} AND q.state = 'reserved' AND q.amount > 0 LIMIT 1`
  return rows.length > 0
}

export interface ReservationPage {
  readonly account: string
  readonly after: { readonly createdAt: Date; readonly id: string } | null
  readonly limit: number
}

/** What is open of an account: what waits for money, and what has some; the newest first. */
export async function pageReservations(sql: Executor, page: ReservationPage): Promise<ReservationRow[]> {
  const { account, after, limit } = page
  const rows = await sql<Sent[]>`
    SELECT ${columns(sql)} FROM budget_reservations q
    WHERE q.state IN ('waiting', 'reserved') AND ${account} = ANY(q.accounts)
      ${after === null ? sql`` : sql`AND (q.created_at, q.id) < (${after.createdAt}, ${after.id})`}
    ORDER BY q.created_at DESC, q.id DESC LIMIT ${limit}`
  return rows.map(rowOf)
}

/** Open runs that hold or wait for money of an account, or have spent of it since its window began. */
export async function openRunsOfAccount(
  sql: Executor,
  { account, window_start }: { readonly account: string; readonly window_start: Date },
): Promise<string[]> {
  const rows = await sql<{ run_id: string }[]>`
    SELECT DISTINCT q.run_id FROM budget_reservations q JOIN runs r ON r.run_id = q.run_id
    WHERE (q.state IN ('waiting', 'reserved') OR (q.state = 'settled' AND q.created_at >= ${window_start}))
      AND ${account} = ANY(q.accounts) AND r.status IN ('created', 'running')`
  return rows.map(({ run_id }) => run_id)
}

/** What waits for money of an account, in all. Nano-USD. */
export async function wantedOf(sql: Executor, account: string): Promise<bigint> {
  const [row] = await sql<{ total: string }[]>`
    SELECT coalesce(sum(amount), 0)::text AS total FROM budget_reservations WHERE state = 'waiting' AND ${account} = ANY(accounts)`
  return BigInt(row!.total)
}
