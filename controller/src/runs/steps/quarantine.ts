import type { ActionTaskStep } from '../../blueprints/compiled-plan.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { EffectRow } from '../../store/journal.ts'
import type { InboxRow } from '../../store/queries/inbox.ts'
import type { Move } from '../move/move.ts'
import type { StepError } from '../ports.ts'
import type { Placed } from '../state/frame.ts'
import { stepError } from '../state/step-error.ts'
import { closeGate, openGate, waitingFor } from './gate.ts'

/**
 * An effect whose outcome nobody knows, and that must not be repeated unasked: the step waits at a gate that tells what is
 * known. Its answers: `retry` (call the tool again), `done` with an output (it took effect), and a rejection (it fails).
 */

/** What an approval has to bring. */
const ANSWER_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['answer'],
  properties: {
    answer: {
      enum: ['retry', 'done'],
      description: 'retry: it took no effect, call the tool again. done: it took effect, go on with the output.',
    },
    output: { description: 'With done: the output of the step; null when left out.' },
  },
} as const satisfies JsonObject

type Answer = { readonly answer: 'retry' } | { readonly answer: 'done'; readonly output?: Json }

/** Puts the effect into quarantine. `why`: what hides its outcome. */
export function quarantine(move: Move, step: Placed<ActionTaskStep>, effect: EffectRow, why: string): void {
  const { operation_id, tool, request_digest, created_at } = effect
  const message = `${why}; nobody knows whether ${tool} took effect. Approve with the answer retry or done, or reject to fail the step`
  const known = { operation_id, tool, request_digest, intended_at: created_at.toISOString() }
  move.setEffect({ ...effect, state: 'quarantined' })
  move.waitStep(step, { ...waitingFor(message, move.now), input_schema: ANSWER_SCHEMA, effect: known })
  openGate(
    move,
    step,
    {
      mode: 'quarantine',
      approvers: [],
      min_approvals: 1,
      input_schema: ANSWER_SCHEMA,
      self_approval: true,
      proposal: null,
      timeout_at: null,
    },
    message,
  )
  move.tell.step('quarantined', step, { operation_id, tool })
}

/** What a person decided; false when the message decides nothing. */
export function answered(move: Move, step: Placed<ActionTaskStep>, message: InboxRow): boolean {
  const decision = closeGate(move, step, message)
  const effect = move.run.effects.get(step.path)
  if (decision === null || effect === undefined) return false
  // Whoever took an approval has checked it against the schema.
  const answer = decision.approved ? (decision.output.input as Answer) : null
  if (answer?.answer === 'done') {
    move.setEffect({ ...effect, state: 'succeeded', ended_at: move.now })
    move.completeStep(step, answer.output ?? null)
  } else if (answer?.answer === 'retry') {
    // What became of it stays unknown; the attempt that follows has an operation of its own.
    move.setEffect({ ...effect, ended_at: move.now })
    const error = unknown(`${message.actor} had ${effect.tool} of step ${step.path} called again`)
    move.retryStep(step, error, move.now, effect.attempt + 1)
  } else {
    move.setEffect({ ...effect, state: 'failed', ended_at: move.now })
    move.failStep(step, unknown(`${message.actor} gave up ${effect.tool} of step ${step.path}`))
  }
  return true
}

function unknown(what: string): StepError {
  return stepError(fail('SW_EFFECT_UNKNOWN', `${what}; nobody knows whether the call before took effect`), 'tool')
}
