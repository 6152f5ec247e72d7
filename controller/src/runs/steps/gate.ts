import type { CompiledStep, GateStep } from '../../blueprints/compiled-plan.ts'
import { renderTextTemplate } from '../../expressions/template.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import { nextGate } from '../../lifecycle/gate.ts'
import type { GateRow } from '../../store/journal.ts'
import type { DecisionPayload, InboxRow } from '../../store/queries/inbox.ts'
import { inputDigestOf, proposalBranch } from '../gates/gate-question.ts'
import type { Move } from '../move/move.ts'
import type { Placed } from '../state/frame.ts'
import { stepError } from '../state/step-error.ts'
import type { StepHandler } from './handler.ts'

/** Why a gate of mode policy does not open. */
const NO_POLICY = 'no policy is about it, and what no policy allows is denied'

/**
 * Waits for people; while it does, the run costs nothing and its time stands still. Decisions are checked where they are
 * made (decide-gate.ts): what comes here counts, and the first one wins.
 */
export const gate: StepHandler<GateStep> = {
  start(move, step) {
    // Policies were asked before (ask-policies.ts), and whom they want to agree has agreed.
    if (step.mode === 'policy') {
      passGate(move, step)
      return
    }
    const message =
      step.message === null ? `approve step ${step.path}` : renderTextTemplate(step.message, step.frame.values)
    const timeoutAt = step.timeoutMs === null ? null : new Date(move.now.getTime() + step.timeoutMs)
    const asks = step.inputSchema === null ? {} : { input_schema: step.inputSchema }
    const proposal =
      step.mode === 'pullRequest' ? proposalBranch(move.run.row.name, step.path, move.tell.stepId(step)) : null
    const proposed = proposal === null ? {} : { proposal }
    move.startStep(step, null, { condition: { ...waitingFor(message, move.now), ...asks, ...proposed } })
    openGate(
      move,
      step,
      {
        mode: step.mode,
        approvers: step.approvers,
        min_approvals: step.min,
        input_schema: step.inputSchema,
        self_approval: step.selfApproval === 'allow',
        proposal,
        timeout_at: timeoutAt,
      },
      message,
    )
  },

  // The row says all there is; what came meanwhile is in the inbox.
  resume() {},

  receive(move, step, message) {
    const answers = move.run.gates.get(step.path)?.input_schema != null
    const decision = closeGate(move, step, message)
    if (decision === null) return false
    if (decision.approved) move.completeStep(step, answers ? decision.output.input : decision.output)
    else move.failStep(step, stepError(rejected(step, message), 'gate'))
    return true
  },

  dueAt: (move, step) => move.run.gates.get(step.path)?.timeout_at ?? null,

  due(move, step) {
    const row = move.run.gates.get(step.path)!
    const approves = step.onTimeout === 'approve'
    move.setGate({ ...row, state: nextGate(row.state, 'expire').state, decided_at: move.now })
    move.tell.gate('expired', step, { on_timeout: step.onTimeout })
    if (approves)
      move.completeStep(step, {
        decision: 'approved',
        actor: null,
        reason: 'nobody decided in time',
        input: null,
        approvers: [],
      })
    else move.failStep(step, stepError(fail('SW_GATE_EXPIRED', `nobody decided gate ${step.path} in time`), 'gate'))
  },

  abandon(move, step) {
    abandonGate(move, step)
  },

  waiting: (move, step) => ({ reason: 'WaitingForApproval', message: messageOf(move, step) }),
}

/** The gate's row and the event that tells people. `stepId`: its id; the step's own unless told otherwise. */
export function openGate(
  move: Move,
  step: Placed,
  settings: Pick<
    GateRow,
    'mode' | 'approvers' | 'min_approvals' | 'input_schema' | 'self_approval' | 'proposal' | 'timeout_at'
  >,
  message: string,
  stepId = move.tell.stepId(step),
): void {
  const { mode, approvers, min_approvals, input_schema, self_approval, proposal, timeout_at } = settings
  move.setGate({
    step_id: stepId,
    run_id: move.run.row.run_id,
    path: step.path,
    mode,
    approvers,
    min_approvals,
    input_schema,
    self_approval,
    input_digest: inputDigestOf({ stepId, planDigest: move.run.row.plan_digest, message }),
    proposal,
    state: 'waiting',
    timeout_at,
    created_at: move.now,
    decided_at: null,
  })
  const told = {
    mode,
    message,
    approvers: [...approvers],
    min_approvals,
    timeout_at: timeout_at?.toISOString() ?? null,
    ...(input_schema === null ? {} : { input_schema }),
    ...(proposal === null ? {} : { proposal }),
  }
  move.tell.gate('opened', step, told, { stepId })
}

/** Whether policies decide it, and not people. */
export function isOfPolicies(step: CompiledStep): boolean {
  return step.kind === 'gate' && step.mode === 'policy'
}

/** Policies let it pass: by themselves, or because those agreed whom they ask. */
function passGate(move: Move, step: Placed<GateStep>): void {
  const asked = move.run.gates.get(step.path)?.state === 'approved'
  const reason = asked ? 'those agreed whom the policies ask' : 'the policies allow it'
  move.completeStep(step, { decision: 'approved', actor: 'system', reason, input: null, approvers: [] })
}

/** No policy is about a gate of mode policy: it is denied at once, by the controller itself. */
export function denyGate(move: Move, step: Placed): void {
  const message = `gate ${step.path}: ${NO_POLICY}`
  move.startStep(step, null, { condition: waitingFor(message, move.now) })
  openGate(move, step, { ...BY_POLICIES, mode: 'policy' }, message)
  const row = move.run.gates.get(step.path)!
  move.setGate({ ...row, state: nextGate(row.state, 'reject').state, decided_at: move.now })
  const data: JsonObject = {
    mode: row.mode,
    reason: NO_POLICY,
    approvals: 0,
    min_approvals: row.min_approvals,
    request_correlation_id: move.run.row.correlation_id,
  }
  move.tell.gate('rejected', step, data, { actor: 'system' })
  const error = fail('SW_GATE_REJECTED', `gate ${step.path} was denied: ${NO_POLICY}`, {
    details: { actor: 'system', reason: NO_POLICY },
    remedy: `declare a policy with a rule for the action gate.${step.id}, or use mode manual`,
  })
  move.failStep(step, stepError(error, 'gate'))
}

const BY_POLICIES = {
  approvers: [],
  min_approvals: 1,
  input_schema: null,
  self_approval: true,
  proposal: null,
  timeout_at: null,
}

export interface Decision {
  readonly approved: boolean
  /** Output of an approved gate: `{decision, actor, reason, input, approvers}`. */
  readonly output: { decision: 'approved'; actor: string; reason: string | null; input: Json; approvers: string[] }
}

/** Closes a waiting gate by a decision; null when the message is none, or the gate was closed before. */
export function closeGate(move: Move, step: Placed, message: InboxRow): Decision | null {
  const row = move.run.gates.get(step.path)
  if (row === undefined || (message.kind !== 'approve' && message.kind !== 'reject')) return null
  const { outcome, state } = nextGate(row.state, message.kind)
  if (outcome !== 'moved') return null
  const approved = message.kind === 'approve'
  move.setGate({ ...row, state, decided_at: move.now })
  const payload = message.payload as DecisionPayload
  return {
    approved,
    output: {
      decision: 'approved',
      actor: message.actor,
      reason: payload.reason ?? null,
      input: payload.input ?? null,
      approvers: [...(payload.approvers ?? [message.actor])],
    },
  }
}

export function abandonGate(move: Move, step: Placed): void {
  const row = move.run.gates.get(step.path)
  if (row === undefined) return
  const { outcome, state } = nextGate(row.state, 'cancel')
  if (outcome === 'moved') move.setGate({ ...row, state, decided_at: move.now })
}

export function waitingFor(message: string, now: Date): { reason: string; message: string; since: string } {
  return { reason: 'WaitingForApproval', message, since: now.toISOString() }
}

export function messageOf(move: Move, step: Placed): string {
  const condition = move.run.steps.get(step.path)?.condition as { message?: string } | null | undefined
  return condition?.message ?? `step ${step.path} waits for a decision`
}

function rejected(step: Placed<GateStep>, message: InboxRow): Error {
  const { reason } = message.payload as DecisionPayload
  return fail('SW_GATE_REJECTED', `${message.actor} rejected gate ${step.path}${reason ? `: ${reason}` : ''}`, {
    details: { actor: message.actor, reason: reason ?? null },
  })
}
