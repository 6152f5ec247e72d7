import { formatUsd } from '../lib/usd.ts'
import type { Tx } from '../store/database.ts'
import type { NewEvent } from '../store/ports.ts'
import { type BudgetRow, deleteAccount, lockAccountsNamed, lockBudgets, putAccount } from '../store/queries/budgets.ts'
import { sumOfScope } from '../store/queries/costs.ts'
import { adoptReservations, leaveReservations } from '../store/queries/reservations.ts'
import { descendantsOf } from '../store/queries/spenders.ts'
import { afterSpending, atTime, type BudgetAction, newThresholds } from './account.ts'
import { ACTOR, budgetEvent } from './events.ts'
import { rankOf } from './reserve.ts'
import { accountOf, rowOf, type StoredAccount } from './rows.ts'
import { type Period, windowAt } from './window.ts'

/** A limit as it was declared. */
export interface Limit {
  readonly account: string
  readonly namespace: string
  readonly name: string
  readonly scope: { readonly kind: Exclude<BudgetRow['scope_kind'], 'Run'>; readonly name: string }
  readonly max: bigint
  readonly period: Period
  readonly thresholds: readonly number[]
  readonly action: BudgetAction
}

/**
 * Opens an account, or changes it to what is declared now. A new one, and one for another scope or window, counts what was
 * spent in the window before it was there, and what is reserved; nothing is spent while that is summed up. Returns
 * the account and what is to be appended to the log; no event = it was so already.
 */
export async function openAccount(
  tx: Tx,
  limit: Limit,
  now: Date,
): Promise<{ readonly account: StoredAccount; readonly events: readonly NewEvent[] }> {
  await lockBudgets(tx)
  const [row] = await lockAccountsNamed(tx, [limit.account])
  const before = row === undefined ? null : atTime(accountOf(row), now)
  const isSame =
    before !== null &&
    before.row.scope_kind === limit.scope.kind &&
    before.row.scope_name === limit.scope.name &&
    before.period === limit.period
  if (isSame && isUnchanged(before, limit)) return { account: before, events: [] }
  const counted = isSame ? before : await counting(tx, limit, now)
  const { max, action, thresholds } = limit
  const changed: StoredAccount = {
    ...counted,
    max,
    action,
    thresholds: [...thresholds],
    // Told again of thresholds that a higher limit has made free.
    told: max === before?.max ? counted.told : 0,
    paced: action === 'Throttle' && max === before?.max ? counted.paced : null,
    row: { ...counted.row, proposal: max === before?.max ? counted.row.proposal : null },
  }
  const reached = newThresholds(changed)
  const told = afterSpending(changed, now)
  const account = { ...told, exhaustedAt: told.used + told.reserved < told.max ? null : (told.exhaustedAt ?? now) }
  await putAccount(tx, rowOf(account))
  const by = { actor: ACTOR, correlationId: limit.account }
  return {
    account,
    events: [
      budgetEvent(
        before === null ? 'opened' : 'changed',
        account,
        now,
        before === null ? {} : { before_usd: formatUsd(before.max) },
        by,
      ),
      ...reached.map((percent) => budgetEvent('threshold_reached', account, now, { percent }, by)),
      ...(before?.exhaustedAt != null && account.exhaustedAt === null
        ? [budgetEvent('eased', account, now, { why: 'more' }, by)]
        : []),
      ...(account.exhaustedAt === null
        ? []
        : [budgetEvent('exhausted', account, now, { wanted_usd: null, waits: null }, by)]),
    ],
  }
}

function isUnchanged(before: StoredAccount, { max, action, thresholds }: Limit): boolean {
  return before.max === max && before.action === action && before.thresholds.join() === thresholds.join()
}

/** As if it had been there from the beginning of its window on. */
async function counting(tx: Tx, limit: Limit, now: Date): Promise<StoredAccount> {
  const { account, namespace, name, scope, period } = limit
  const window = windowAt(period, now)
  const agents = scope.kind === 'Agent' ? await descendantsOf(tx, namespace, scope.name) : []
  const used = await sumOfScope(tx, { ...scope, namespace, agents }, window.start)
  await leaveReservations(tx, account)
  const reserved = await adoptReservations(tx, { account, namespace, ...scope })
  return accountOf({
    account,
    rank: rankOf(scope.kind),
    namespace,
    name,
    scope_kind: scope.kind,
    scope_name: scope.name,
    max_amount: limit.max,
    period,
    thresholds: limit.thresholds,
    action: limit.action,
    window_start: window.start,
    window_end: window.end,
    used,
    reserved,
    told: 0,
    paced_from: null,
    paced_level: null,
    exhausted_at: null,
    proposal: null,
    version: 0,
  })
}

/** Closes an account: it limits nothing any more. The ledger keeps what was spent of it. */
export async function closeAccount(tx: Tx, account: string, now: Date): Promise<readonly NewEvent[]> {
  await lockBudgets(tx)
  const [row] = await lockAccountsNamed(tx, [account])
  if (row === undefined) return []
  await leaveReservations(tx, account)
  await deleteAccount(tx, account)
  return [budgetEvent('closed', accountOf(row), now, {}, { actor: ACTOR, correlationId: account })]
}
