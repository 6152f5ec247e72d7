import type { ActionTaskStep, CompiledPlan } from '../../blueprints/compiled-plan.ts'
import { renderTemplate } from '../../expressions/template.ts'
import { secretParameters } from '../../kinds/secret-ref.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { StepRow } from '../../store/journal.ts'
import type { ToolInfo } from '../ports.ts'
import { isBlackboardAction } from '../state/blackboard.ts'
import type { Placed } from '../state/frame.ts'
import type { RunState } from '../state/run-state.ts'
import { Places } from './places.ts'

/** Something a run did that no call can undo. */
export interface NotUndone {
  readonly step: string
  readonly action: string
  readonly reason: string
}

export interface RollbackPlan {
  readonly plan: CompiledPlan
  /** `{undo: [paths in order], not_undone, requests: {undo_1: …}}`: what the plan's expressions read. */
  readonly inputs: JsonObject
  readonly undo: readonly string[]
  readonly notUndone: readonly NotUndone[]
}

/**
 * The plan that undoes a run: the `undo` of every action that succeeded, one after the other, the last to end first. Its
 * parameters are worked out now, from what the run recorded. A step without one whose tool kept how to take it back is taken
 * back by `tool.undo`. `done`: paths that were undone before. Pure.
 */
export function rollbackPlan(run: RunState, done: ReadonlySet<string>, toolOf: ToolOf): RollbackPlan {
  const places = new Places(run)
  const notUndone: NotUndone[] = []
  const steps: { readonly step: ActionTaskStep; readonly path: string; readonly request: JsonObject }[] = []
  for (const row of lastFirst(run)) {
    if (done.has(row.path)) continue
    const found = inverseOf(row, run, places, toolOf)
    if (found === null) continue
    if ('reason' in found) notUndone.push(found)
    else steps.push({ ...found, path: row.path })
  }
  const undo = steps.map(({ path }) => path)
  const requests = Object.fromEntries(steps.map(({ request }, i) => [idOf(i), request]))
  return { plan: planOf(run, steps), inputs: inputsOf(run, undo, notUndone, requests), undo, notUndone }
}

/** What is known of a tool now; null = there is none. */
type ToolOf = (action: string) => Pick<ToolInfo, 'leavesNothing' | 'isUndoable'> | null

/** Takes back what the tools of Stateward keep. */
const UNDO_TOOL = 'tool.undo'

/** Of the steps that undo others. */
export function idOf(index: number): string {
  return `undo_${index + 1}`
}

/** Every step that a tool or an agent was asked in, the last to end first; of those that ended together the later one of the plan. */
function lastFirst(run: RunState): readonly StepRow[] {
  const rows = [...run.steps.values()].filter(({ kind }) => kind === 'action_task' || kind === 'agent_task')
  const order = new Map(rows.map((row, i) => [row, ordinal(row.path, run) ?? i]))
  const ended = (row: StepRow) => row.completed_at?.getTime() ?? Number.MAX_SAFE_INTEGER
  return rows.sort((a, b) => ended(b) - ended(a) || order.get(b)! - order.get(a)!)
}

/** Where a step of the run's own plan stands in it. */
function ordinal(path: string, { plan }: RunState): number | null {
  const top = /^[a-z0-9_]+/.exec(path)?.[0]
  const index = plan.steps.findIndex(({ id }) => id === top)
  return index < 0 ? null : index
}

type Inverse = { readonly step: ActionTaskStep; readonly request: JsonObject } | NotUndone | null

function inverseOf(row: StepRow, run: RunState, places: Places, toolOf: ToolOf): Inverse {
  const { path } = row
  try {
    const step = places.step(path)
    if (step === undefined) return null
    if (step.kind === 'agent_task')
      return row.status === 'completed'
        ? { step: path, action: step.agent, reason: 'the work of an agent has no undo' }
        : null
    if (step.kind !== 'action_task' || (step.undo === undefined && toolOf(step.action)?.leavesNothing === true))
      return null
    const effect = run.effects.get(path)
    if (effect?.state === 'quarantined' || effect?.state === 'intent')
      return { step: path, action: step.action, reason: 'nobody knows whether it took effect' }
    // Nobody but the run has seen what it wrote on its blackboard.
    if (row.status !== 'completed' || (step.undo === undefined && isBlackboardAction(step.action))) return null
    if (step.undo === undefined && effect !== undefined && toolOf(step.action)?.isUndoable === true)
      return inverse(step, { action: UNDO_TOOL, with: { call: effect.operation_id } })
    if (step.undo === undefined) return { step: path, action: step.action, reason: 'the step has no undo' }
    return inverse(step, step.undo)
  } catch (error) {
    return { step: path, action: row.kind, reason: `its undo cannot be worked out: ${errorMessage(error)}` }
  }
}

function inverse(step: Placed<ActionTaskStep>, undo: NonNullable<ActionTaskStep['undo']>): Inverse {
  const { frame: _frame, path, undo: _undo, ...own } = step
  const request = renderTemplate(undo.with, step.frame.values) as JsonObject
  const named = {
    ...own,
    name: `undo ${path}`,
    if: null,
    waitsFor: [],
    action: undo.action,
    with: {},
    refs: secretParameters(undo.with),
  }
  return { step: named, request }
}

function planOf({ plan }: RunState, inverses: readonly { readonly step: ActionTaskStep }[]): CompiledPlan {
  const steps = inverses.map(({ step }, i) => ({
    ...step,
    id: idOf(i),
    waitsFor: i === 0 ? [] : [idOf(i - 1)],
    request: `inputs.requests.${idOf(i)}`,
  }))
  const told = ['undo', 'not_undone'] as const
  return {
    format: 1,
    blueprint: plan.blueprint,
    triggers: [],
    schedules: [],
    inputs: [],
    limits: { ...plan.limits, maxSteps: Math.max(steps.length, plan.limits.maxSteps), concurrency: null },
    backpressure: null,
    steps,
    outputs: told.map((name) => ({ name: name === 'undo' ? 'undone' : name, value: `{{ inputs.${name} }}` })),
  }
}

function inputsOf(
  { row }: RunState,
  undo: readonly string[],
  notUndone: readonly NotUndone[],
  requests: JsonObject,
): JsonObject {
  return { run: row.name, undo: [...undo], not_undone: notUndone.map((one) => ({ ...one })), requests }
}
