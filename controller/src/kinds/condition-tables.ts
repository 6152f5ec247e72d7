import type { ConditionTable, Reason } from './conditions.ts'

/** Conditions and reasons every kind has; a kind adds its own. */

const OWNED = ['Ready', 'Reconciling', 'Stalled', 'Suspended', 'Held', 'Drifted', 'HealthCheck'] as const
const NEGATIVE = ['Reconciling', 'Stalled', 'Suspended', 'Held', 'Drifted'] as const

/** `healthy` conditions explain Ready=False when they are not True; `others` are shown beside it; `bad` ones are shown and True is bad. */
export function conditionTable(
  extra: {
    readonly healthy?: readonly string[]
    readonly others?: readonly string[]
    readonly bad?: readonly string[]
  } = {},
): ConditionTable {
  const { healthy = [], others = [], bad = [] } = extra
  return {
    owned: [...OWNED, ...healthy, ...others, ...bad],
    negative: [...NEGATIVE, ...bad],
    readyFrom: ['Stalled', 'Suspended', ...healthy, 'HealthCheck', 'Reconciling'],
  }
}

export const COMMON_REASONS = [
  'Succeeded',
  'Progressing',
  'ProgressingWithRetry',
  'ValidationFailed',
  'SourceConflict',
  'ReferenceNotFound',
  'DependencyNotReady',
  'DependencyCycle',
  'Suspended',
  'Drifted',
  'BlastRadius',
  'ApprovalRequired',
  'PolicyDenied',
  'OutsideWindow',
  'Terminating',
  'HealthCheckFailed',
] as const satisfies readonly Reason[]

/** What each condition means, whichever kind has it. */
export const CONDITION_TYPES: Readonly<Record<string, string>> = {
  Ready: 'it is as declared, at this generation',
  Reconciling: 'work towards the declared state is under way; absent when there is none',
  Stalled: 'it cannot go on without a change; absent when it can',
  Suspended: 'it is left as it is, by Git or by an override',
  Held: 'a newer revision waits for an approval, or is denied: it keeps its last good one; absent when none does',
  Healthy: 'what it started runs and reports',
  AliasDrift: 'another model answered than the one that was asked',
  TargetMissed: 'it is under its target',
  Drifted: 'what is live differs from what Git says, with no commit about it; absent when it does not',
  HealthCheck:
    'the health expressions that its source has for its kind say that it is healthy; absent when there are none',
  Isolated: 'its processes run under another user than the controller',
  QuotaExceeded: 'what would start runs of it is held back by its limits; absent when nothing is',
  OverBudget: 'it is used up, or has too little for what was asked for; absent when it has not',
  Fetched: 'the source could be read',
  ClusterFetched: 'the API server tells its custom resources; absent where none are read',
  ClusterStatusPublished: 'status could be written to the custom resources; absent where none are read',
  Verified: 'its head is signed by somebody who may; absent where nothing is verified',
  StatusPublished: 'status and notes could be written to Git',
}
