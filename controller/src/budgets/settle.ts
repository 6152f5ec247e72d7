import type { Tx } from '../store/database.ts'
import type { NewEvent } from '../store/ports.ts'
import { lockAccountsOfReservation, putAccount, shareBudgets } from '../store/queries/budgets.ts'
import { type CostRow, insertCost } from '../store/queries/costs.ts'
import { lockReservation, putReservation, type ReservationRow } from '../store/queries/reservations.ts'
import { ACTOR, costEvent } from './events.ts'
import { rowOf, type StoredAccount } from './rows.ts'
import { newEntry, rollOver, spentOf } from './spend.ts'

/** What a model read and wrote. */
export interface TokensSpent {
  readonly input: number
  readonly output: number
}

/** What something came to. */
export type Outcome =
  /** So much, in nano-USD, as somebody counted. */
  | { readonly kind: 'spent'; readonly amount: bigint; readonly tokens?: TokensSpent }
  /** What was reserved: that is its price. */
  | { readonly kind: 'as_declared' }
  /** What was reported meanwhile; nothing reported = nobody knows. */
  | { readonly kind: 'as_reported' }
  /** Nobody knows: all that was reserved counts, and is marked. */
  | { readonly kind: 'unknown' }
  /** It was never begun. */
  | { readonly kind: 'nothing' }

/** Written last, with the events that are to be appended; the log is the last lock that a transaction takes. */
type Also = (events: readonly NewEvent[]) => Promise<unknown>

/**
 * Charges what was spent and frees the rest. The same again changes nothing. What was spent beyond the reservation is
 * charged as well: it is gone.
 */
export async function settle(
  tx: Tx,
  id: string,
  outcome: Outcome,
  now: Date,
  also: Also = async () => undefined,
): Promise<readonly NewEvent[]> {
  const [, row, rows] = await Promise.all([
    shareBudgets(tx),
    lockReservation(tx, id),
    lockAccountsOfReservation(tx, id),
  ])
  if (row === null || row.state === 'settled' || row.state === 'released') {
    await also([])
    return []
  }
  if (row.state === 'waiting') {
    await Promise.all([putReservation(tx, { ...row, state: 'released', charged: 0n, ended_at: now }), also([])])
    return []
  }
  const locked = await rollOver(tx, rows, now)
  const settled = settlementOf(row, outcome, locked.accounts, now)
  const { entry } = settled
  const events = [...locked.events, ...settled.events]
  await Promise.all([
    ...settled.accounts.map((account) => putAccount(tx, rowOf(account))),
    putReservation(tx, settled.row),
    entry === null ? null : insertCost(tx, entry),
    also(events),
  ])
  return events
}

export interface Settlement {
  readonly row: ReservationRow
  readonly accounts: readonly StoredAccount[]
  /** For the ledger; null = nothing was spent. */
  readonly entry: CostRow | null
  readonly events: readonly NewEvent[]
}

/** What is to be written when what money is kept for has ended. Pure: the accounts are those of the reservation, in the window of now. */
export function settlementOf(
  row: ReservationRow,
  outcome: Outcome,
  accounts: readonly StoredAccount[],
  now: Date,
): Settlement {
  const { total, usage } = amountOf(row, outcome)
  const freed = row.amount > row.reported ? row.amount - row.reported : 0n
  const added = total - row.reported
  const cause = { correlationId: row.correlation_id, runId: row.run_id }
  const spent = accounts.map((account) => {
    const reserved = account.reserved > freed ? account.reserved - freed : 0n
    return spentOf({ ...account, reserved, used: account.used + added }, now, cause)
  })
  const state = total === 0n && outcome.kind === 'nothing' ? 'released' : 'settled'
  const tokens = outcome.kind === 'spent' ? outcome.tokens : undefined
  const amount = { amount: added, usage: usage ?? ('reported' as const), occurred_at: now }
  const entry =
    added > 0n || usage === 'unknown' ? newEntry({ ...entryOf(row), ...tokensOf(tokens), ...amount }, now) : null
  return {
    row: { ...row, state, charged: total, usage, ended_at: now },
    accounts: spent.map(({ account }) => account),
    entry,
    events: [...spent.flatMap((one) => one.events), ...(entry === null ? [] : [costEvent(entry, entry.recorded_by)])],
  }
}

function amountOf(row: ReservationRow, outcome: Outcome): { total: bigint; usage: ReservationRow['usage'] } {
  const most = row.amount > row.reported ? row.amount : row.reported
  switch (outcome.kind) {
    case 'spent':
      return { total: outcome.amount > row.reported ? outcome.amount : row.reported, usage: 'reported' }
    case 'as_declared':
      return { total: most, usage: 'declared' }
    case 'as_reported':
      return row.usage === 'reported' ? { total: row.reported, usage: 'reported' } : { total: most, usage: 'unknown' }
    case 'unknown':
      return { total: most, usage: 'unknown' }
    case 'nothing':
      return { total: row.reported, usage: row.usage }
  }
}

function tokensOf(tokens: TokensSpent | undefined) {
  if (tokens === undefined) return {}
  const { input, output } = tokens
  return { tokens: input + output, input_tokens: input, output_tokens: output }
}

function entryOf(row: ReservationRow) {
  const { namespace, project, blueprint, run_id, step, tool, provider, model, revision, correlation_id } = row
  return {
    ...{ namespace, project, blueprint, run_id, step, tool, provider, model, revision, correlation_id },
    agent: row.agents[0] ?? null,
    task_id: null,
    ticket: null,
    tokens: 0,
    input_tokens: 0,
    output_tokens: 0,
    note: null,
    reservation: row.id,
    recorded_by: ACTOR,
  }
}
