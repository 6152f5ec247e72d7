import type { BudgetRow } from '../store/queries/budgets.ts'
import type { Account } from './account.ts'

/** An account with the row it was read from. */
export interface StoredAccount extends Account {
  readonly row: BudgetRow
}

export function accountOf(row: BudgetRow): StoredAccount {
  return {
    row,
    account: row.account,
    max: row.max_amount,
    used: row.used,
    reserved: row.reserved,
    period: row.period,
    action: row.action,
    thresholds: row.thresholds,
    window: { start: row.window_start, end: row.window_end },
    told: row.told,
    paced: row.paced_from === null ? null : { from: row.paced_from, level: row.paced_level ?? 0n },
    exhaustedAt: row.exhausted_at,
  }
}

export function rowOf(account: StoredAccount): BudgetRow {
  const { row, max, used, reserved, window, told, paced, exhaustedAt, action, thresholds } = account
  return {
    ...row,
    max_amount: max,
    action,
    thresholds,
    used,
    reserved,
    window_start: window.start,
    window_end: window.end,
    told,
    paced_from: paced?.from ?? null,
    paced_level: paced?.level ?? null,
    exhausted_at: exhaustedAt,
    // A proposal is about the window it was made in.
    proposal: window.start.getTime() === row.window_start.getTime() ? row.proposal : null,
  }
}

/** `budget default/platform-monthly`, `the budget of run fix-k3q9zt`. */
export function titleOf({ account, namespace, name }: Pick<BudgetRow, 'account' | 'namespace' | 'name'>): string {
  if (account.startsWith('Run/')) return `the budget of run ${name}`
  if (account.startsWith('Spawned/')) return `the budget of agent ${name}`
  return `budget ${namespace}/${name}`
}
