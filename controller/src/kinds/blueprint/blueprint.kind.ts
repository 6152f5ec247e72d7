import { closest } from '../../lib/closest.ts'
import { isObject } from '../../lib/json.ts'
import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind, type SpecProblem } from '../definition.ts'
import type { Reference } from '../references.ts'
import { columns, wide } from '../status-parts.ts'
import { blueprintSpec, blueprintStatus } from './blueprint.schema.ts'
import { checkGate } from './check-gate.ts'

type Spec = Readonly<Record<string, unknown>>

interface PlanStep {
  readonly step: Spec
  /** `/spec/plan/2`, or inside a loop `/spec/plan/2/plan/0`. */
  readonly pointer: string
  /** Ids of the plan it stands in. */
  readonly siblings: readonly string[]
}

/** Every step, those of loops right after their loop. */
function stepsOf(spec: Spec, base = '/spec'): PlanStep[] {
  const steps = Array.isArray(spec['plan']) ? spec['plan'].filter(isObject) : []
  const siblings = steps.map((step) => String(step['id']))
  return steps.flatMap((step, i): PlanStep[] => {
    const pointer = `${base}/plan/${i}`
    return [{ step, pointer, siblings }, ...(step['kind'] === 'foreach' ? stepsOf(step, pointer) : [])]
  })
}

/**
 * Agents, tools and blueprints a plan names. A step that names a model may mean a model provider by `agent`, so a missing agent is
 * not an error there; a tool may be built in, or be meant by an alias, which only the tool registry knows.
 */
function stepReferences(spec: Spec): Reference[] {
  return stepsOf(spec).flatMap(({ step, pointer }): Reference[] => {
    if (step['kind'] === 'agent_task' && typeof step['agent'] === 'string') {
      const reference: Reference = {
        kind: 'Agent',
        name: step['agent'],
        pointer: `${pointer}/agent`,
        strength: 'required',
      }
      const provider: Reference[] =
        typeof step['provider'] === 'string'
          ? [{ kind: 'ModelProvider', name: step['provider'], pointer: `${pointer}/provider`, strength: 'required' }]
          : []
      return step['model'] === undefined
        ? [reference, ...provider]
        : [{ ...reference, strength: 'optional', alternatives: ['ModelProvider'] }, ...provider]
    }
    if (step['kind'] === 'action_task' && typeof step['action'] === 'string') {
      const undo = isObject(step['undo']) ? step['undo']['action'] : undefined
      return [
        { kind: 'Tool', name: step['action'], pointer: `${pointer}/action`, strength: 'optional' },
        ...(typeof undo === 'string'
          ? [{ kind: 'Tool', name: undo, pointer: `${pointer}/undo/action`, strength: 'optional' } as const]
          : []),
      ]
    }
    if (step['kind'] === 'blueprint' && typeof step['ref'] === 'string') {
      return [{ kind: 'Blueprint', name: step['ref'], pointer: `${pointer}/ref`, strength: 'required' }]
    }
    return []
  })
}

/** `needs` that name no other step of the plan, and gates that can never open. */
function checkPlan(spec: Spec): SpecProblem[] {
  return stepsOf(spec).flatMap((placed) => [
    ...needsProblems(placed),
    ...checkGate(placed.step, placed.pointer),
    ...waitProblems(placed),
  ])
}

function needsProblems({ step, pointer, siblings }: PlanStep): SpecProblem[] {
  const needs = Array.isArray(step['needs']) ? step['needs'] : []
  return needs.flatMap((need, j): SpecProblem[] => {
    if (typeof need !== 'string' || (siblings.includes(need) && need !== step['id'])) return []
    const near = closest(
      need,
      siblings.filter((id) => id !== step['id']),
    )
    return [
      {
        code: 'SW_BAD_VALUE',
        pointer: `${pointer}/needs/${j}`,
        message:
          need === step['id']
            ? `step ${need} needs itself`
            : `step ${String(step['id'])} needs ${need}, which is no step of this plan`,
        hint: near === undefined ? 'name a step of this plan' : `did you mean ${near}?`,
      },
    ]
  })
}

function waitProblems({ step, pointer }: PlanStep): SpecProblem[] {
  const problems: SpecProblem[] = []
  const add = (field: string, message: string, hint: string) =>
    problems.push({ code: 'SW_BAD_VALUE', pointer: `${pointer}${field}`, message, hint })
  const { kind, onTimeout } = step
  const words = kind === 'gate' ? ['reject', 'approve'] : ['fail', 'continue']
  if (typeof onTimeout === 'string' && !words.includes(onTimeout))
    add('/onTimeout', `a ${String(kind)} cannot ${onTimeout}`, `write one of: ${words.join(', ')}`)
  if (kind !== 'wait') return problems
  const isForEvent = step['event'] !== undefined
  if (isForEvent === (step['duration'] !== undefined))
    add('', 'a wait has either an event or a duration', 'say what is waited for')
  else if (!isForEvent) {
    for (const field of ['filter', 'timeout', 'onTimeout'])
      if (step[field] !== undefined) add(`/${field}`, `a wait for time has no ${field}`, 'remove it')
  } else if (onTimeout !== undefined && step['timeout'] === undefined)
    add('/onTimeout', 'without a timeout nothing ever times out', 'add a timeout')
  return problems
}

export const blueprint = defineKind({
  kind: 'Blueprint',
  plural: 'blueprints',
  singular: 'blueprint',
  shortNames: ['bp'],
  scope: 'Namespaced',
  description:
    'A plan of steps that runs when an event asks for it: work for agents, calls of tools, gates where a person decides, computed values, and calls of other blueprints.',
  spec: blueprintSpec,
  status: blueprintStatus,
  columns: columns([
    wide('Event', '.spec.triggers[0].event', 'The first event that starts it.'),
    wide('Next', '.status.nextScheduleTime', 'When the next of its schedules is due.', 'date'),
    wide('Steps', '.status.steps', 'Steps in its plan.', 'integer'),
    wide('Active', '.status.activeRuns', 'Runs that have not ended.', 'integer'),
    wide('Plan', '.status.planDigest', 'Digest of the plan new runs follow.'),
  ]),
  conditions: conditionTable({ bad: ['QuotaExceeded'] }),
  reasons: [...COMMON_REASONS, 'NoCapableAgent', 'DatabaseHostRequired', 'QuotaExceeded'],
  volatile: ['/activeRuns', '/nextScheduleTime', '/lastScheduleTime'],
  references: stepReferences,
  check: checkPlan,
  example: `apiVersion: stateward.dev/v1alpha1
kind: Blueprint
metadata:
  name: auto-remediate
spec:
  description: Fixes a Checkmk alert after a person agreed.
  triggers:
    - event: checkmk.alert
      filter: event.data.state == 'CRIT'
      dedupeKey: "{{ event.data.host }}/{{ event.data.service }}"
  inputs:
    - {name: host, schema: {type: string}, required: true, from: event.data.host}
    - {name: service, schema: {type: string}, default: ssh, from: event.data.service}
  limits: {timeout: 60m, concurrency: 10}
  plan:
    - id: analyze
      kind: agent_task
      agent: sre
      prompt: "Why is {{ inputs.service }} down on {{ inputs.host }}?"
      outputSchema:
        type: object
        required: [severity]
        properties: {severity: {type: string}}
    - id: approve
      kind: gate
      mode: manual
      approvers: ["role:operator"]
      timeout: 24h
      message: "Restart {{ inputs.service }} on {{ inputs.host }}?"
    - id: fix
      kind: action_task
      if: steps.analyze.output.severity != 'low'
      action: ssh.run
      timeout: 5m
      with:
        host: "{{ inputs.host }}"
        cmd: "systemctl restart {{ inputs.service }}"
    - id: report
      kind: transform
      expression: "{'summary': steps.fix.output.stdout}"
  outputs:
    - {name: summary, value: "{{ steps.report.output.summary }}"}
`,
})
