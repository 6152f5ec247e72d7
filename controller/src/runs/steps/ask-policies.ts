import type { ActionTaskStep } from '../../blueprints/compiled-plan.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import type { ApprovalRequirement } from '../../policy/evaluate/verdict.ts'
import type { RunRow } from '../../store/queries/runs.ts'
import type { Move } from '../move/move.ts'
import type { PolicyAnswer, PolicyApproval, PolicyDenial, PolicyQuestion, StepError } from '../ports.ts'
import { agentsAbove, approversAbove } from '../state/above.ts'
import type { Placed } from '../state/frame.ts'
import { stepError } from '../state/step-error.ts'
import { requestFor } from './action-task.ts'
import { denyGate, isOfPolicies } from './gate.ts'
import type { StepContext } from './handler.ts'
import { hold } from './policy-gate.ts'

/**
 * Asks the policies about a step whose turn it is, and about the tool it calls. True = they stand in its way: it has failed
 * by name, or a gate is open in front of it. Without a policy for the namespace it costs a look into a set.
 */
export function policiesStop(move: Move, step: Placed, context: StepContext): boolean {
  const { policies } = context
  const answers = policies.asks(move.run.row.namespace) ? answersFor(move, step, context) : []
  const denied = answers.find((answer) => answer.kind === 'deny')
  if (denied !== undefined) {
    move.failStep(step, stepError(deniedError(`step ${step.path}`, denied), 'policy'))
    return true
  }
  if (isOfPolicies(step) && !answers.some(({ kind, by }) => kind !== 'allow' || by !== null)) {
    denyGate(move, step)
    return true
  }
  // A gate asks people as it is.
  const asking = step.kind === 'gate' && !isOfPolicies(step) ? [] : stillAsking(move, step, answers, context)
  const { admission } = move.run
  if (admission !== null && admission.first !== null) {
    hold(move, step, joined([admission.approval, ...asking]), admission.first)
    return true
  }
  if (admission !== null) admission.first = step.path
  const all = admission === null ? asking : [admission.approval, ...asking]
  if (all.length === 0) return false
  hold(move, step, joined(all))
  return true
}

function answersFor(move: Move, step: Placed, context: StepContext): PolicyAnswer[] {
  return questionsOf(move, step, context).map((question) => {
    const { answer, record } = context.policies.ask(move.run.row, question, move.tell.stepId(step), move.now)
    if (record !== null) move.decide(record)
    return answer
  })
}

/** What is asked for and was not given at a gate of the plan that stands above the step. */
function stillAsking(
  move: Move,
  step: Placed,
  answers: readonly PolicyAnswer[],
  { policies, tools }: StepContext,
): PolicyApproval[] {
  const { row } = move.run
  const asking = answers.filter((answer) => answer.kind === 'approval')
  const isCall = step.kind === 'action_task'
  const tool = isCall ? tools.find((step as Placed<ActionTaskStep>).action, row.namespace) : null
  const added =
    tool === null
      ? null
      : policies.autonomy(row, {
          tool,
          name: (step as Placed<ActionTaskStep>).action,
          agents: () => agentsAbove(move.run, step),
        })
  if (asking.length === 0 && added === null) return []
  const given = approversAbove(move.run, step)
  const isMet = (approval: ApprovalRequirement) =>
    given.some((approvers) => policies.meets(approval, row.namespace, approvers))
  const left = asking.flatMap((answer): PolicyApproval[] => {
    const approvals = answer.approvals.filter((approval) => !isMet(approval))
    return approvals.length === 0 ? [] : [{ ...answer, approvals }]
  })
  if (added !== null && (added.always || (left.length === 0 && !added.approval.approvals.every(isMet))))
    left.push(added.approval)
  return left
}

function joined(asking: readonly PolicyApproval[]): PolicyApproval {
  return { ...asking[0]!, approvals: asking.flatMap(({ approvals }) => approvals) }
}

function deniedError(what: string, denied: PolicyDenial): Error {
  return fail('SW_DENIED_BY_POLICY', `${what}: ${denied.by} denies ${denied.action}: ${denied.reason}`, {
    details: denied.details,
  })
}

/** Asks the policies whether a run may begin. Returns the error it fails with, or null; approvals are asked for in front of its first steps. */
export function policiesRefuse(move: Move, context: StepContext): StepError | null {
  const { row } = move.run
  if (!context.policies.asks(row.namespace)) return null
  const question = admissionQuestion(row)
  const { answer, record } = context.policies.ask(row, question, null, move.now)
  if (record !== null) move.decide(record)
  if (answer.kind === 'approval') move.run.admission = { approval: answer, first: null }
  return answer.kind === 'deny' ? stepError(deniedError(`run ${row.name}`, answer), 'policy') : null
}

type Asked = Pick<RunRow, 'blueprint' | 'trigger' | 'inputs' | 'name'>

function admissionQuestion({ blueprint, trigger, inputs, name }: Asked): PolicyQuestion {
  return {
    point: 'run_admission',
    action: 'run.start',
    aliases: [],
    resource: { type: 'blueprint', name: blueprint },
    risk: 'low',
    data: { run: name, trigger, inputs },
  }
}

function questionsOf(move: Move, step: Placed, context: StepContext): PolicyQuestion[] {
  const { run } = move
  const tests = testsPassed(move)
  const known: JsonObject = { step: step.path, run: run.row.name, ...(tests === null ? {} : { tests_passed: tests }) }
  const blueprint = { type: 'blueprint', name: run.row.blueprint }
  const agent = step.kind === 'agent_task' ? { agent: step.agent } : {}
  const questions: PolicyQuestion[] = [
    {
      point: 'step_start',
      action: `step.${step.kind}`,
      aliases: [],
      resource: blueprint,
      risk: 'low',
      data: { ...known, ...agent },
    },
  ]
  if (isOfPolicies(step))
    questions.push({ ...questions[0]!, action: `gate.${step.id}`, resource: { type: 'gate', name: step.id } })
  if (step.kind !== 'action_task') return questions
  const call = step as Placed<ActionTaskStep>
  const tool = context.tools.find(call.action, run.row.namespace)
  // What is no tool fails where it is called.
  if (tool === null) return questions
  questions.push({
    point: 'tool_call',
    action: tool.name,
    aliases: call.action === tool.name ? [] : [call.action],
    resource: { type: 'tool', name: tool.name },
    // What says nothing of itself may do any harm.
    risk: tool.risk ?? 'high',
    data: { ...known, blueprint: run.row.blueprint, with: requestFor(call) },
  })
  return questions
}

/**
 * Whether the tests of the run are green: what its tools and transforms have put out as `tests: {passed: …}`, all of it.
 * Null = there are none. What an agent says of itself is no test.
 */
function testsPassed(move: Move): boolean | null {
  let found: boolean | null = null
  for (const { kind, status, outputs } of move.run.steps.values()) {
    if (status !== 'completed' || (kind !== 'action_task' && kind !== 'transform') || !isObject(outputs)) continue
    const tests = outputs['tests']
    if (!isObject(tests) || typeof tests['passed'] !== 'boolean') continue
    found = tests['passed'] && found !== false
  }
  return found
}
