import { uuidv7 } from '../lib/ids.ts'
import type { Tx } from '../store/database.ts'
import type { NewEvent } from '../store/ports.ts'
import { type BudgetRow, putAccount } from '../store/queries/budgets.ts'
import type { CostRow } from '../store/queries/costs.ts'
import { type Account, afterSpending, atTime, newThresholds } from './account.ts'
import { ACTOR, budgetEvent } from './events.ts'
import { accountOf, rowOf, type StoredAccount } from './rows.ts'

interface Cause {
  readonly correlationId: string
  readonly runId: string | null
}

/** Whether there is nothing left, whatever the action says of that. */
export const isUsedUp = ({ max, used, reserved }: Pick<Account, 'max' | 'used' | 'reserved'>): boolean =>
  used + reserved >= max

/** An account of which something was spent, as it is to be written, and the thresholds that it passed by that. Pure. */
export function spentOf(
  before: StoredAccount,
  now: Date,
  cause: Cause,
): { readonly account: StoredAccount; readonly events: readonly NewEvent[] } {
  const by = { actor: ACTOR, ...cause }
  const reached = newThresholds(before)
  const spent = afterSpending(before, now)
  const isNews = spent.exhaustedAt === null && spent.used > 0n && spent.used >= spent.max
  const account = isNews ? { ...spent, exhaustedAt: now } : spent
  return {
    account,
    events: [
      ...reached.map((percent) => budgetEvent('threshold_reached', account, now, { percent }, by)),
      ...(isNews ? [budgetEvent('exhausted', account, now, { wanted_usd: null, waits: null }, by)] : []),
    ],
  }
}

/** A row for the ledger. */
export function newEntry(entry: Omit<CostRow, 'cost_id' | 'recorded_at'>, now: Date): CostRow {
  return { ...entry, cost_id: uuidv7(now.getTime()), recorded_at: now }
}

/** Accounts whose rows are locked, each in the window of now; one that begins anew is written, and told of when it had been of note. */
export async function rollOver(
  tx: Tx,
  rows: readonly BudgetRow[],
  now: Date,
): Promise<{ readonly accounts: readonly StoredAccount[]; readonly events: readonly NewEvent[] }> {
  const events: NewEvent[] = []
  const accounts: StoredAccount[] = []
  for (const row of rows) {
    const before = accountOf(row)
    const account = atTime(before, now)
    accounts.push(account)
    if (account === before) continue
    await putAccount(tx, rowOf(account))
    if (before.told > 0 || before.exhaustedAt !== null)
      events.push(budgetEvent('eased', account, now, { why: 'window' }, { actor: ACTOR, correlationId: row.account }))
  }
  return { accounts, events }
}
