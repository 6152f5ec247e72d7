import type { CompiledStep } from '../../blueprints/compiled-plan.ts'
import type { Clock } from '../../lib/clock.ts'
import type { InboxRow } from '../../store/queries/inbox.ts'
import type { CrashHook } from '../crash-points.ts'
import type { Move } from '../move/move.ts'
import type { Purse, RunFolders, RunPolicies, TaskDispatch, ToolPermits, ToolRunner } from '../ports.ts'
import type { Placed } from '../state/frame.ts'

/** What the kinds of steps need besides the run itself. */
export interface StepContext {
  readonly clock: Clock
  readonly tools: ToolRunner
  readonly tasks: TaskDispatch
  readonly policies: RunPolicies
  readonly permits: ToolPermits
  readonly folders: RunFolders
  readonly purse: Purse
  readonly crashPoint: CrashHook
  /** At least 0, below 1. */
  readonly random: () => number
}

/**
 * One kind of step. Everything a handler does goes through the move, so it is durable together or not at all; nothing of
 * it may reach outside before that. A throw in `start` fails the step with that error.
 */
export interface StepHandler<Step extends CompiledStep> {
  /** Everything it waits for has ended and its condition holds. */
  start(move: Move, step: Placed<Step>, context: StepContext): void
  /** Its row says `running`, and this process has just taken the run over. */
  resume(move: Move, step: Placed<Step>, context: StepContext): void
  /** The time of its next attempt has come; only a kind that takes `retry` has it. */
  again?(move: Move, step: Placed<Step>, context: StepContext): void
  /** A message for it came while it runs. False = it is not for it; it is consumed as ignored. */
  receive(move: Move, step: Placed<Step>, message: InboxRow, context: StepContext): boolean
  /** When it has to be looked at again though no message came; null = never. */
  dueAt(move: Move, step: Placed<Step>): Date | null
  /** That time has come. */
  due(move: Move, step: Placed<Step>, context: StepContext): void
  /** The run ends while it waits: tidy up whatever waits outside; the step itself is failed by the caller. */
  abandon(move: Move, step: Placed<Step>, context: StepContext): void
  /** Why the run waits for it, for people. */
  waiting(move: Move, step: Placed<Step>): { readonly reason: WaitReason; readonly message: string }
}

export type WaitReason =
  | 'WaitingForApproval'
  | 'WaitingForEvent'
  | 'WaitingForTime'
  | 'WaitingForBudget'
  | 'NoCapableAgent'
  | 'DatabaseHostRequired'
  | 'Progressing'
  | 'ProgressingWithRetry'
