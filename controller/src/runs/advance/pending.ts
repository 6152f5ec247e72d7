import type { Move } from '../move/move.ts'
import type { Placed } from '../state/frame.ts'
import type { WaitReason } from '../steps/handler.ts'
import { handlerIn } from '../steps/handlers.ts'

/** When a running step has to be looked at again though no message came; null = never. */
export function dueAt(move: Move, step: Placed): Date | null {
  return move.run.steps.get(step.path)?.next_attempt_at ?? handlerIn(move.run, step).dueAt(move, step)
}

/** Between two attempts nothing of the step is under way. */
export function isBetweenAttempts(move: Move, step: Placed): boolean {
  return move.run.steps.get(step.path)?.next_attempt_at != null
}

/** Why the run waits for a step. */
export function waitingFor(move: Move, step: Placed): { readonly reason: WaitReason; readonly message: string } {
  if (!isBetweenAttempts(move, step)) return handlerIn(move.run, step).waiting(move, step)
  const condition = move.run.steps.get(step.path)?.condition as { message?: string } | null
  return { reason: 'ProgressingWithRetry', message: `step ${step.path}: ${condition?.message ?? 'another attempt'}` }
}
