import type { SpecProblem } from '../kinds/definition.ts'
import { isObject } from '../lib/json.ts'
import { nameHint, problem } from './problem.ts'

/** The rules of the flat format, each with a code of its own. Pointers are those of the v0 document. */

const STEP_KINDS = ['agent_task', 'action_task', 'gate', 'transform']

type V0 = Readonly<Record<string, unknown>>

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}

/** Name of the object a v0 id stands for: lower-case, `_` becomes `-`. */
export function nameOfId(id: string): string {
  return id.toLowerCase().replaceAll('_', '-')
}

const NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/

function checkId(document: V0): SpecProblem[] {
  const id = document['id']
  if (!isText(id))
    return [problem('SW_V0_ID', '/id', 'a v0 blueprint needs an id', 'add id, for example bp.checkmk.auto_remediate')]
  const name = nameOfId(id)
  if (name.length <= 63 && NAME.test(name)) return []
  return [
    problem(
      'SW_V0_ID',
      '/id',
      `the id ${JSON.stringify(id)} cannot become a name`,
      "use at most 63 letters, digits, '.', '_' and '-', beginning and ending with a letter or digit",
    ),
  ]
}

function checkEventType(document: V0): SpecProblem[] {
  const trigger = document['trigger']
  if (isObject(trigger) && isText(trigger['event_type'])) return []
  return [
    problem(
      'SW_V0_EVENT_TYPE',
      isObject(trigger) ? '/trigger/event_type' : '/trigger',
      'a v0 blueprint needs trigger.event_type',
      'name the event that starts it, for example checkmk.alert',
    ),
  ]
}

function checkStep(step: V0, pointer: string): SpecProblem[] {
  const problems: SpecProblem[] = []
  if (!isText(step['id']))
    problems.push(problem('SW_V0_STEP_ID', `${pointer}/id`, 'the step has no id', 'give it an id, unique in the plan'))
  const kind = step['kind']
  const missing = (code: string, fields: string[]) => {
    if (fields.length === 0) return
    problems.push(
      problem(code, pointer, `this ${String(kind)} lacks ${fields.join(' and ')}`, `add ${fields.join(' and ')}`),
    )
  }
  switch (kind) {
    case 'agent_task':
      missing('SW_V0_AGENT_TASK', [
        ...(isText(step['agent']) || isText(step['provider']) ? [] : ['agent (or provider)']),
        ...(isText(step['model']) ? [] : ['model']),
        ...(isText(step['prompt']) || isText(step['prompt_template']) ? [] : ['prompt (or prompt_template)']),
      ])
      break
    case 'action_task':
      missing('SW_V0_ACTION_TASK', [
        ...(isText(step['action']) ? [] : ['action']),
        ...(step['with'] === undefined ? ['with'] : []),
      ])
      break
    case 'gate':
      missing('SW_V0_GATE_MODE', isText(step['mode']) ? [] : ['mode (manual)'])
      break
    case 'transform':
      break
    default:
      problems.push(
        problem(
          'SW_V0_STEP_KIND',
          `${pointer}/kind`,
          kind === undefined ? 'the step has no kind' : `there is no kind of step ${JSON.stringify(kind)}`,
          nameHint(String(kind), STEP_KINDS),
        ),
      )
  }
  return problems
}

function checkPlan(document: V0): SpecProblem[] {
  const plan = document['plan']
  if (!Array.isArray(plan) || plan.length === 0) {
    return [
      problem('SW_V0_PLAN', '/plan', 'a v0 blueprint needs a plan with at least one step', 'add plan, a list of steps'),
    ]
  }
  const seen = new Map<unknown, number>()
  return plan.flatMap((step: unknown, i) => {
    if (!isObject(step)) return []
    const problems = checkStep(step, `/plan/${i}`)
    const id = step['id']
    const first = seen.get(id)
    if (first === undefined) seen.set(id, i)
    else if (isText(id)) {
      problems.push(
        problem(
          'SW_V0_DUPLICATE_STEP',
          `/plan/${i}/id`,
          `the id ${JSON.stringify(id)} is also that of step ${first + 1}`,
          'give each step its own id',
        ),
      )
    }
    return problems
  })
}

/** Everything the flat format's own rules say. */
export function checkV0(document: V0): SpecProblem[] {
  return [...checkId(document), ...checkEventType(document), ...checkPlan(document)]
}
