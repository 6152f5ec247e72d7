import { isDeepStrictEqual } from 'node:util'
import { keyOf, type ObjectKey } from '../../kinds/resource.ts'
import type { GovernedPlan } from '../../plan/approvals/hold.ts'
import type { Change } from '../../plan/change-set.ts'
import type { Plan } from '../../plan/planned.ts'
import type { SyncRow } from '../../store/queries/sources.ts'
import { MAX_CHANGES_KEPT } from './accept.ts'

/** A plan as far as it waits for something. */
export type WaitingPlan = Pick<
  GovernedPlan,
  'toRevision' | 'changes' | 'counts' | 'pending' | 'blockedDeletions' | 'asked'
>

/** The rest is only needed until it is accepted: of a large repo it would be kept in vain. */
export function waitingOf({
  toRevision,
  changes,
  counts,
  pending,
  blockedDeletions,
  asked,
}: GovernedPlan): WaitingPlan {
  return { toRevision, changes: changes.filter(isWaiting), counts, pending, blockedDeletions, asked }
}

/** Whether a row of the history says what a plan says. A row keeps only the first changes of a large revision, but the counts of all. */
export function sameWaiting(recorded: SyncRow, made: Plan): boolean {
  const lines = new Set(made.changes.map(waitingLine))
  return (
    recorded.counts.blocked === made.counts.blocked &&
    recorded.counts.skip === made.counts.skip &&
    recorded.changes.every((change) => !isWaiting(change) || lines.has(waitingLine(change)))
  )
}

/** Of an observed revision only the source's own object is changed. */
export function sameObserved(recorded: SyncRow, made: Plan, own: ObjectKey): boolean {
  const lines = (changes: readonly Change[]) => changes.filter((change) => keyOf(change) !== own).map(waitingLine)
  const before = lines(recorded.changes)
  const kept = recorded.changes.length < MAX_CHANGES_KEPT ? undefined : before.length
  return recorded.outcome === 'observed' && isDeepStrictEqual(before, lines(made.changes).slice(0, kept))
}

export function isWaiting({ action }: Change): boolean {
  return action === 'blocked' || action === 'skip'
}

function waitingLine(change: Change): string {
  return [change.action, keyOf(change), change.reason, change.toDigest].join(' ')
}
