import { assertNever } from '../../lib/assert-never.ts'
import type { ConditionSet } from '../../status/condition-set.ts'
import type { Outcome } from './outcome.ts'

/** What happens to the key afterwards. */
export type Next =
  | { readonly again: number; readonly result: 'success' | 'requeue_after' }
  | { readonly again: null; readonly result: 'stalled' | 'superseded' }

/** The one place where an outcome becomes conditions and a decision about the queue. */
export function interpretOutcome(outcome: Outcome, conditions: ConditionSet, resyncMs: number): Next {
  switch (outcome.kind) {
    case 'done':
      return { again: outcome.again ?? resyncMs, result: 'success' }
    case 'waiting':
      conditions.set('Reconciling', 'True', outcome.reason, outcome.message)
      return { again: outcome.after, result: 'requeue_after' }
    case 'stalled':
      conditions.set('Stalled', 'True', outcome.reason, outcome.message)
      return { again: null, result: 'stalled' }
    case 'superseded':
      return { again: null, result: 'superseded' }
    default:
      return assertNever(outcome, 'outcome')
  }
}
