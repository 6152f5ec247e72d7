import type { StoredAccount } from '../../budgets/rows.ts'
import type { BudgetSpec } from '../../kinds/budget/budget.schema.ts'
import { formatUsd } from '../../lib/usd.ts'
import { done } from '../runtime/outcome.ts'
import type { KindReconciler, Phase } from '../runtime/reconciler.ts'
import type { WorldObject } from '../world.ts'

export interface BudgetReconcilerDeps {
  /** Makes the account as the budget says; from then on it limits. */
  readonly open: (object: WorldObject, spec: BudgetSpec) => Promise<StoredAccount>
  readonly close: (object: WorldObject) => Promise<void>
  /** Proposes more, once; the branch, or null where nothing can be proposed from here. */
  readonly proposeMore: (object: WorldObject, account: StoredAccount) => Promise<string | null>
  /** What was spent in the last whole days. */
  readonly lastDays: (account: StoredAccount) => Promise<{
    readonly until: string
    readonly days: number
    readonly spent: string
    readonly inputTokens?: number
    readonly outputTokens?: number
  }>
  /** What it will have cost when its window ends, nano-USD. */
  readonly forecast: (account: StoredAccount) => Promise<bigint>
}

/** A budget: its account, how much of it is gone, and what is proposed when nothing is left. */
export function budgetReconciler(deps: BudgetReconcilerDeps): KindReconciler {
  const account: Phase = async ({ object, spec, fields, conditions }) => {
    const opened = await deps.open(object, spec as unknown as BudgetSpec)
    Object.assign(fields, statusOf(opened), { forecast: formatUsd(await deps.forecast(opened)) })
    fields['lastDays'] = await deps.lastDays(opened)
    if (opened.exhaustedAt === null) {
      delete fields['proposal']
      return null
    }
    const branch = opened.action === 'Alert' ? null : await deps.proposeMore(object, opened)
    if (branch !== null) fields['proposal'] = branch
    const more = branch === null ? '' : `; more is proposed on ${branch}`
    const { used, reserved, max } = opened
    const kept = reserved > 0n ? `, ${formatUsd(reserved)} reserved` : ''
    const message = `${formatUsd(used)} of ${formatUsd(max)} USD are used${kept}: ${CONSEQUENCES[opened.action]}${more}`
    conditions.set('OverBudget', 'True', 'BudgetExhausted', message)
    return null
  }
  return {
    kind: 'Budget',
    phases: [account],
    finalize: async ({ object }) => {
      await deps.close(object)
      return done
    },
  }
}

const CONSEQUENCES: Readonly<Record<StoredAccount['action'], string>> = {
  Alert: 'an alert is all that happens',
  Throttle: 'what costs something waits',
  Pause: 'what costs something waits',
  Kill: 'what asks for more fails',
}

/** How an account stands, as the status of its budget says it. */
export function statusOf({ used, reserved, max, window }: StoredAccount) {
  const left = max - used - reserved
  return {
    used: formatUsd(used),
    reserved: formatUsd(reserved),
    remaining: formatUsd(left > 0n ? left : 0n),
    windowStart: window.start.toISOString(),
    ...(window.end === null ? {} : { windowEnd: window.end.toISOString() }),
  }
}
