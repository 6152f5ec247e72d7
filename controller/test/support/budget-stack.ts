import type { BudgetAction } from '../../src/budgets/account.ts'
import { openAccount } from '../../src/budgets/accounts.ts'
import { type BudgetKeeper, type BudgetKeeperDeps, keepBudgets } from '../../src/budgets/keeper.ts'
import { openPurse } from '../../src/budgets/purse.ts'
import type { ReserveRequest } from '../../src/budgets/reserve.ts'
import type { Period } from '../../src/budgets/window.ts'
import { parseUsd } from '../../src/lib/usd.ts'
import type { Purse } from '../../src/runs/ports.ts'
import { appendEvents } from '../../src/store/log.ts'
import { accountNamed, type BudgetRow } from '../../src/store/queries/budgets.ts'
import type { Store } from '../../src/store/store.ts'
import { transact } from '../../src/store/transact.ts'

export const usd = (text: string): bigint => parseUsd(text)!

export interface TestBudget {
  readonly name?: string
  readonly namespace?: string
  readonly scope?: { readonly kind: Exclude<BudgetRow['scope_kind'], 'Run'>; readonly name: string }
  readonly max: string
  readonly action?: BudgetAction
  readonly window?: Period
  readonly thresholds?: readonly number[]
}

/** Declares a budget, or changes it, as its reconciler does. Its account. */
export async function declareBudget(store: Store, budget: TestBudget): Promise<string> {
  const { name = 'all', namespace = 'default', scope = { kind: 'Environment', name: 'default' } } = budget
  const account = `Budget/${namespace}-${name}`
  await transact(store, async (tx) => {
    const limit = {
      ...{ account, namespace, name, scope },
      max: usd(budget.max),
      period: budget.window ?? 'month',
      thresholds: budget.thresholds ?? [80, 95],
      action: budget.action ?? 'Pause',
    }
    const { events } = await openAccount(tx, limit, store.clock.now())
    if (events.length > 0) await appendEvents(tx, store, [...events])
  })
  return account
}

/** `used/reserved` in US dollars. */
export async function standing(store: Store, account: string): Promise<{ used: bigint; reserved: bigint } | null> {
  const row = await accountNamed(store.reader, account)
  return row === null ? null : { used: row.used, reserved: row.reserved }
}

/** A thing to be paid for. */
export function thing(id: string, amount: string, more: Partial<ReserveRequest> = {}): ReserveRequest {
  return {
    id,
    amount: usd(amount),
    namespace: 'default',
    agent: null,
    blueprint: null,
    run: null,
    step: null,
    attempt: null,
    tool: null,
    provider: null,
    model: null,
    revision: null,
    actor: 'user:ada',
    correlationId: 'c-test',
    ...more,
  }
}

export const purseOf = (store: Store): Purse => ({ limits: () => true, ...openPurse(store) })

export function keeperOf(store: Store, more: Partial<BudgetKeeperDeps> = {}): BudgetKeeper {
  return keepBudgets({ store, nudgeRun: () => {}, changed: () => {}, kill: async () => {}, ...more })
}
