import type { CompiledStep } from '../../blueprints/compiled-plan.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { DecisionPayload } from '../../store/queries/inbox.ts'
import { stepIdOf } from '../../store/queries/steps.ts'
import type { Move } from '../move/move.ts'
import type { PolicyApproval } from '../ports.ts'
import type { Placed } from '../state/frame.ts'
import { type Hold, holdOf } from '../state/held.ts'
import { runningSteps } from '../state/running.ts'
import { stepError } from '../state/step-error.ts'
import { abandonGate, closeGate, messageOf, openGate, waitingFor } from './gate.ts'
import type { StepContext, StepHandler } from './handler.ts'

/**
 * Gates in front of a step, opened because policies ask for approvals. While one waits the step has a row and has not
 * begun; the run is parked as at any other gate. They are opened one after the other, one for each policy that asks, under
 * ids of their own: the step's id is for gates of the step itself.
 */

/** Holds a step whose turn it is; `follows`: until the gate in front of another step has opened. */
export function hold(move: Move, step: Placed, answer: PolicyApproval, follows: string | null = null): void {
  const held: Hold = {
    approvals: answer.approvals.map(({ min, fromAnyOf }) => ({ min, from_any_of: fromAnyOf })),
    approved: 0,
    by: answer.by,
    question: answer.question,
    follows,
  }
  move.holdBack(step, conditionOf(move, held), {
    reason: answer.reason,
    policy: answer.by,
    approvals: held.approvals as unknown as JsonObject[],
  })
  if (follows === null) ask(move, step, held)
}

function followersOf(move: Move, { path }: Placed): readonly Placed[] {
  return runningSteps(move.run).filter((step) => holdOf(move.run.steps.get(step.path))?.follows === path)
}

function conditionOf(move: Move, held: Hold): JsonObject {
  return { ...waitingFor(messageFor(held), move.now), held: held as unknown as JsonObject }
}

function messageFor({ question, by }: Hold): string {
  return `${question}: ${by} asks for approval`
}

function ask(move: Move, step: Placed, held: Hold): void {
  const { min, from_any_of } = held.approvals[held.approved]!
  openGate(
    move,
    step,
    {
      mode: 'policy',
      approvers: from_any_of,
      min_approvals: min,
      input_schema: null,
      // A person may agree to a run of his own; an agent never counts.
      self_approval: true,
      proposal: null,
      timeout_at: null,
    },
    messageFor(held),
    // Attempts count from 1: these numbers are of no attempt.
    stepIdOf(move.run.row.run_id, step.path, -held.approved),
  )
}

/** What a step does that is held, whatever its kind; `begin` starts it when everybody has agreed. */
export function heldHandler(
  begin: (move: Move, step: Placed, context: StepContext) => void,
): StepHandler<CompiledStep> {
  return {
    start() {},
    resume() {},
    receive(move, step, message, context) {
      const held = holdOf(move.run.steps.get(step.path))!
      const decision = closeGate(move, step, message)
      if (decision === null) return false
      if (!decision.approved) {
        const { reason } = message.payload as DecisionPayload
        const why = `${message.actor} rejected what ${held.by} asks about${reason ? `: ${reason}` : ''}`
        const error = fail('SW_GATE_REJECTED', `step ${step.path}: ${why}`, {
          details: { actor: message.actor, reason: reason ?? null, policy: held.by },
        })
        move.failStep(step, stepError(error, 'gate'))
        return true
      }
      const next = { ...held, approved: held.approved + 1 }
      if (next.approved < held.approvals.length) {
        move.holdAgain(step, conditionOf(move, next))
        ask(move, step, next)
      } else {
        for (const one of [step, ...followersOf(move, step)]) {
          move.letGo(one)
          begin(move, one, context)
        }
      }
      return true
    },
    dueAt: () => null,
    due() {},
    abandon: (move, step) => abandonGate(move, step),
    waiting: (move, step) => ({ reason: 'WaitingForApproval', message: messageOf(move, step) }),
  }
}
