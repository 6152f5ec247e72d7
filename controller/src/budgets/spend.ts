import { uuidv7 } from '../lib/ids.ts'
import type { Tx } from '../store/database.ts'
import type { NewEvent } from '../store/ports.ts'
import { type BudgetRow, putAccount } from '../store/queries/budgets.ts'
import { type CostRow, insertCost } from '../store/queries/costs.ts'
import { type Account, afterSpending, atTime, newThresholds } from './account.ts'
import { ACTOR, budgetEvent, costEvent } from './events.ts'
import { accountOf, rowOf, type StoredAccount } from './rows.ts'

interface Cause {
  readonly correlationId: string
  readonly runId: string | null
}

/** Whether there is nothing left, whatever the action says of that. */
export const isUsedUp = ({ max, used, reserved }: Pick<Account, 'max' | 'used' | 'reserved'>): boolean =>
  used + reserved >= max

/** Writes an account of which something was spent, and tells of the thresholds that it passed by that. */
export async function writeSpent(tx: Tx, account: StoredAccount, now: Date, cause: Cause): Promise<NewEvent[]> {
  const by = { actor: ACTOR, ...cause }
  const reached = newThresholds(account)
  const spent = afterSpending(account, now)
  const isNews = spent.exhaustedAt === null && spent.used > 0n && spent.used >= spent.max
  const stored = isNews ? { ...spent, exhaustedAt: now } : spent
  await putAccount(tx, rowOf(stored))
  return [
    ...reached.map((percent) => budgetEvent('threshold_reached', stored, now, { percent }, by)),
    ...(isNews ? [budgetEvent('exhausted', stored, now, { wanted_usd: null, waits: null }, by)] : []),
  ]
}

/** Adds a row to the ledger. */
export async function writeEntry(
  tx: Tx,
  entry: Omit<CostRow, 'cost_id' | 'recorded_at'>,
  now: Date,
): Promise<{ readonly row: CostRow; readonly event: NewEvent }> {
  const row: CostRow = { ...entry, cost_id: uuidv7(now.getTime()), recorded_at: now }
  await insertCost(tx, row)
  return { row, event: costEvent(row, row.recorded_by) }
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
