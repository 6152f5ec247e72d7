import { refOf } from '../../kinds/resource.ts'
import type { ActualState } from '../actual-state.ts'
import type { GovernedPlan } from '../approvals/hold.ts'
import { specBefore } from '../effects/effects-of-plan.ts'
import { filled } from '../effects/filled-spec.ts'
import { type Outlook, type OutlookInput, outlookOf } from './outlook.ts'

/** What comes of a plan, as its objects are merged. Pure. */
export function outlookOfPlan(
  made: Pick<GovernedPlan, 'changes' | 'effects' | 'effective'>,
  actual: ActualState,
  observed: OutlookInput['observed'],
): Outlook {
  const { changes, effects, effective } = made
  return outlookOf({
    ...{ changes, effects, actual, observed },
    specOf(side, key) {
      const { kind } = refOf(key)
      if (side === 'after') return filled(kind, effective.get(key)?.spec)
      return actual.has(key) ? filled(kind, specBefore(key, actual)) : null
    },
  })
}
