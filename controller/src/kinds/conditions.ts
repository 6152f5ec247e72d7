/** kstatus' condition, as Kubernetes writes it (metav1.Condition). */
export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: Reason
  readonly message: string
  readonly observedGeneration: number
  /** UTC, ISO 8601 with milliseconds; moves only when `status` changes. */
  readonly lastTransitionTime: string
}

/** Which conditions a kind owns and how Ready is summed from them. */
export interface ConditionTable {
  readonly owned: readonly string[]
  /** Types for which True is bad. */
  readonly negative: readonly string[]
  /** In this order, the first failing one explains Ready=False. */
  readonly readyFrom: readonly string[]
}

/** The closed list of reasons, with what each means. docs/reference lists it; nothing else may be written. */
export const REASONS = {
  Succeeded: 'reconciled at this generation',
  Progressing: 'work is under way',
  ProgressingWithRetry: 'the last attempt failed and will be tried again',
  ValidationFailed: 'the document, or one it depends on, is wrong; the message has file:line:column',
  SourceConflict: 'a file of the state repo and a custom resource of the cluster declare it; neither is applied',
  ReferenceNotFound: 'something it names does not exist',
  DependencyNotReady: 'something it depends on is not ready',
  DependencyCycle: 'its dependencies form a cycle',
  Suspended: 'suspended in Git or by an override',
  Drifted: 'what is live differs from what Git says, with no commit about it',
  QuotaExceeded: 'a quota of the environment, or a limit of its own, is used up',
  DatabaseHostRequired: 'bulk work needs a host labelled database=true',
  NoCapableAgent: 'no agent can take this task',
  BelowMinimums: 'the machine has less than spec.minimums asks for',
  NoHost: 'no host matches the selector or has a free slot',
  WaitingForApproval: 'a human has to decide',
  WaitingForEvent: 'an event has to come',
  WaitingForTime: 'some time has to pass',
  WaitingForBudget: 'a budget is used up',
  BudgetExhausted: 'nothing of it is left, or too little for what waits',
  BlastRadius: 'the change deletes more than the limit; approve it first',
  ApprovalRequired: 'policy asks for an approval of this change',
  PolicyDenied: 'a policy denies this change',
  OutsideWindow: 'the change waits until its time',
  NotYetEnforced: 'accepted and stored, but this version does not act on it yet',
  Starting: 'processes were started and have not reported yet',
  CrashLoop: 'it keeps ending; the next start waits',
  HeartbeatMissed: 'no heartbeat within the timeout',
  CommandNotFound: 'the command does not resolve',
  SecretMissing: 'a secret it names is not there',
  PartiallyApplied: 'some objects of the revision are blocked',
  FetchFailed: 'the source could not be read; the last good revision stays in force',
  CommitUnverified: 'the head has no good signature of somebody who may sign; the last good revision stays in force',
  ObserveOnly: 'the source is planned but not applied',
  StatusPublishFailed: 'status could not be written to Git',
  AnotherController: 'another controller serves this environment',
  HealthCheckFailed: 'a health expression of its source says that it failed, or cannot be evaluated',
  Terminating: 'removed from Git, being stopped',
  Stopped: 'it was stopped',
  ProcessOwnUser: "it runs under the controller's own user",
  Failed: 'it ended in failure',
  Unreachable: 'it does not answer',
  LoginRequired: 'somebody has to sign in for the fleet: `stateward mcp login`',
  Quarantined: 'what it is now is not what was merged; it is not called before that is merged, too',
  NotAsked: 'nothing was asked of it yet',
  AnotherModel: 'another model answered than the one that was asked',
  TargetMissed: 'what is measured is under its target',
  RollbackPending: 'it failed, and what it did is about to be undone',
} as const

export type Reason = keyof typeof REASONS
