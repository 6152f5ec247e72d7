import type { ActionTaskStep } from '../../blueprints/compiled-plan.ts'
import { evaluateExpression } from '../../expressions/evaluate.ts'
import { renderTemplate } from '../../expressions/template.ts'
import { secretParameters } from '../../kinds/secret-ref.ts'
import { digestOf } from '../../lib/digest.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { StatewardError } from '../../lib/errors.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import { schemaViolations, violationsText } from '../../lib/json-schema.ts'
import type { Move } from '../move/move.ts'
import type { ToolInfo } from '../ports.ts'
import { SET, useBlackboard } from '../state/blackboard.ts'
import type { Placed } from '../state/frame.ts'
import { stepError } from '../state/step-error.ts'
import { abandonGate, messageOf } from './gate.ts'
import type { StepContext, StepHandler } from './handler.ts'
import { agentOfRun, isAsking, pay, waitingForMoney } from './paying.ts'
import { answered, quarantine } from './quarantine.ts'
import { failOrRetry } from './retry.ts'
import { callTool } from './tool-call.ts'

const NANO_A_CENT = 10_000_000n

/**
 * Calls a tool. The intent (operation id, digest of the request) is durable before the call, the outcome after it, and a
 * recorded outcome is never produced again; only a call without effects begins while its intent is on its way. When a
 * process died in between, nobody knows the outcome: an idempotent tool is called again under the same operation id; for
 * any other the step waits behind a gate (quarantine.ts).
 */
export const actionTask: StepHandler<ActionTaskStep> = {
  start(move, step, context) {
    const tool = toolOf(move, step, context)
    const request = requestFor(step)
    const digest = digestOf(request)
    move.startStep(step, request, { told: { request_digest: digest } })
    begin(move, step, tool, { request, digest }, context)
  },

  // The same request under an operation id of its own: what it asks for was decided when the step started.
  again(move, step, context) {
    const tool = toolOf(move, step, context)
    const request = move.run.steps.get(step.path)!.inputs as JsonObject
    const digest = digestOf(request)
    move.beginAttempt(step, request, { request_digest: digest })
    begin(move, step, tool, { request, digest }, context)
  },

  resume(move, step, context) {
    const effect = move.run.effects.get(step.path)
    if (isAsking(move, step)) askAgain(move, step, context)
    if (effect?.state !== 'intent' || effect.attempt !== move.attemptOf(step)) return
    const request = move.run.steps.get(step.path)!.inputs as JsonObject
    const tool = context.tools.find(step.action, move.run.row.namespace)
    // As it was when it was called, and as it is now: a commit may have changed the tool meanwhile.
    const repeatable = effect.idempotent && tool !== null && isIdempotent(tool, request)
    if (!repeatable || digestOf(request) !== effect.request_digest) {
      quarantine(move, step, effect, 'the process went away during the call')
      return
    }
    move.tell.step('resumed', step, { operation_id: effect.operation_id })
    call(move, step, request, context)
  },

  receive(move, step, message, context) {
    if (message.kind !== 'resume') return answered(move, step, message)
    if (isAsking(move, step)) askAgain(move, step, context)
    return true
  },

  // While its tool runs, the call watches the time itself; behind its gate it waits as long as it takes.
  dueAt: () => null,
  due() {},

  abandon(move, step) {
    // That the run ends does not tell what became of the effect: it stays quarantined.
    const effect = move.run.effects.get(step.path)
    if (effect?.state === 'intent' && effect.attempt === move.attemptOf(step))
      move.setEffect({ ...effect, state: 'quarantined' })
    abandonGate(move, step)
  },

  waiting: (move, step) =>
    isAsking(move, step)
      ? waitingForMoney(move, step)
      : { reason: 'WaitingForApproval', message: messageOf(move, step) },
}

/** What the tool is going to be asked for. Throws what its expressions throw. */
export function requestFor(step: Placed<ActionTaskStep>): JsonObject {
  const { values } = step.frame
  return (
    step.request === undefined ? renderTemplate(step.with, values) : evaluateExpression(step.request, values)
  ) as JsonObject
}

function toolOf(move: Move, step: Placed<ActionTaskStep>, context: StepContext): ToolInfo {
  const { actor, namespace, trigger, trigger_event } = move.run.row
  const tool = context.tools.find(step.action, namespace)
  if (tool !== null) {
    // Who only told of something started nothing; and a rollback does what the plan says about undoing.
    if (trigger_event === null && trigger !== 'rollback') context.permits({ actor, tool, name: step.action })
    return tool
  }
  throw fail('SW_TOOL_UNKNOWN', `step ${step.path} calls ${step.action}, which is no tool of this namespace`)
}

function isIdempotent(tool: ToolInfo, request: JsonObject): boolean {
  return tool.idempotentFor?.(request) ?? tool.idempotent
}

/** What a tool is asked for; the digest is in the ledger of effects and in the event of the step's start. */
interface Asked {
  readonly request: JsonObject
  readonly digest: string
}

function begin(move: Move, step: Placed<ActionTaskStep>, tool: ToolInfo, asked: Asked, context: StepContext): void {
  if (tool.inRun === true) doInRun(move, step, tool, asked, context)
  else if (priceOf(tool) === 0n) effect(move, step, tool, asked, context)
  else {
    const price = { amount: priceOf(tool), agent: agentOfRun(move), tool: tool.name }
    pay(move, step, price, context, (later) => effect(later, step, tool, asked, context))
  }
}

function effect(move: Move, step: Placed<ActionTaskStep>, tool: ToolInfo, asked: Asked, context: StepContext): void {
  intend(move, step, tool, asked)
  call(move, step, asked.request, context)
}

/** There may be money for it now, or somebody else began to ask. The same is asked for as before. */
function askAgain(move: Move, step: Placed<ActionTaskStep>, context: StepContext): void {
  if (move.run.active.has(step.path)) return
  try {
    const request = move.run.steps.get(step.path)!.inputs as JsonObject
    begin(move, step, toolOf(move, step, context), { request, digest: digestOf(request) }, context)
  } catch (error) {
    move.failStep(step, stepError(error, 'validation'))
  }
}

/** Nano-USD, by what the tool declares. */
function priceOf({ estimatedCents = 0, isRehearsal = false, paysItself = false }: ToolInfo): bigint {
  return isRehearsal || paysItself ? 0n : BigInt(estimatedCents) * NANO_A_CENT
}

/** Done and recorded in this very move: there is nothing a crash could leave in doubt. */
function doInRun(move: Move, step: Placed<ActionTaskStep>, tool: ToolInfo, asked: Asked, context: StepContext): void {
  const { request } = asked
  try {
    const violations = schemaViolations(tool.inputSchema, request)
    if (violations.length > 0)
      throw fail('SW_VALIDATION_FAILED', `the parameters of ${tool.name} do not fit: ${violationsText(violations)}`)
    const output = useBlackboard(move.run.blackboard, tool.name, request)
    if (tool.name === SET) {
      intend(move, step, tool, asked)
      endEffect(move, step, 'succeeded')
    }
    move.completeStep(step, output)
  } catch (error) {
    failOrRetry(move, step, stepError(error, 'tool'), context)
  }
}

/** The row of the ledger; durable before a tool with effects is called. */
function intend(move: Move, step: Placed<ActionTaskStep>, tool: ToolInfo, { request, digest }: Asked): void {
  move.setEffect({
    operation_id: operationId(move, step),
    run_id: move.run.row.run_id,
    path: step.path,
    attempt: move.attemptOf(step),
    tool: tool.name,
    idempotent: isIdempotent(tool, request),
    request_digest: digest,
    state: 'intent',
    created_at: move.now,
    ended_at: null,
  })
}

/** `<run>/<step path>/<attempt>`: what a tool may use to recognise a call that it has seen. */
function operationId(move: Move, step: Placed<ActionTaskStep>): string {
  return `${move.run.row.run_id}/${step.path}/${move.attemptOf(step)}`
}

function call(move: Move, step: Placed<ActionTaskStep>, request: JsonObject, context: StepContext): void {
  const { row } = move.run
  const tool = context.tools.find(step.action, row.namespace)!
  const limits = [step.timeoutMs, tool.timeoutMs].filter((limit) => limit !== null)
  const ends = limits.map((limit) => move.now.getTime() + limit)
  if (row.deadline !== null) ends.push(row.deadline.getTime())
  const attempt = move.attemptOf(step)
  move.call(step, tool.withoutEffects === true ? 'early' : 'effect', async (signal) => {
    const outcome = await callTool(context, {
      call: {
        tool: step.action,
        with: request,
        // Only what the plan itself says: a text that came with an input names no secret.
        refs: step.refs ?? secretParameters(step.with),
        namespace: row.namespace,
        operationId: `${row.run_id}/${step.path}/${attempt}`,
        correlationId: row.correlation_id,
        actor: row.actor,
        deadline: ends.length === 0 ? null : new Date(Math.min(...ends)),
      },
      runId: row.run_id,
      usesWorkspace: tool.usesWorkspace ?? true,
      step: step.path,
      attempt,
      signal,
    })
    return (later) => {
      if (tool.withoutEffects === true && later.tell.hasBegun(step)) later.forgetEffect(step)
      if (priceOf(tool) > 0n) settle(later, step, outcome, context)
      record(later, step, outcome, context)
    }
  })
}

/** Errors that say that the tool was not called at all. */
const NOT_CALLED: readonly string[] = [
  'SW_BREAKER_OPEN',
  'SW_VALIDATION_FAILED',
  'SW_TOOL_UNKNOWN',
  'SW_TOOL_QUARANTINED',
]

/** Behind the move that records what became of it: a crash in between leaves money that is kept, and charged later. */
function settle(
  move: Move,
  step: Placed<ActionTaskStep>,
  outcome: { readonly output: Json } | { readonly error: unknown },
  context: StepContext,
): void {
  const id = operationId(move, step)
  const wasCalled =
    !('error' in outcome) || !(outcome.error instanceof StatewardError && NOT_CALLED.includes(outcome.error.ref))
  const kind = !wasCalled ? 'nothing' : 'error' in outcome ? 'unknown' : 'as_declared'
  move.whenDurable.push(() => {
    context.crashPoint('budget.unsettled')
    void context.purse.settle(id, { kind })
  })
}

function record(
  move: Move,
  step: Placed<ActionTaskStep>,
  outcome: { readonly output: Json } | { readonly error: unknown },
  context: StepContext,
): void {
  endEffect(move, step, 'error' in outcome ? 'failed' : 'succeeded')
  if ('error' in outcome) failOrRetry(move, step, stepError(outcome.error, 'tool'), context)
  else move.completeStep(step, outcome.output)
}

function endEffect(move: Move, step: Placed<ActionTaskStep>, state: 'succeeded' | 'failed'): void {
  const effect = move.run.effects.get(step.path)
  if (effect !== undefined) move.setEffect({ ...effect, state, ended_at: move.now })
}
