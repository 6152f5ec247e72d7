import type { CompiledPlan } from '../../blueprints/compiled-plan.ts'
import type { EnvValue, EventValue } from '../../expressions/values.ts'
import type { EffectRow, GateRow, StepRow } from '../../store/journal.ts'
import type { InboxRow } from '../../store/queries/inbox.ts'
import type { RunRow } from '../../store/queries/runs.ts'
import type { PolicyApproval } from '../ports.ts'
import { type Blackboard, blackboardOf } from './blackboard.ts'
import { type Frame, type FrameValues, frameOf } from './frame.ts'
import type { Nest } from './nest.ts'

/**
 * A run as its owner holds it in memory. It is ahead of the database by what is queued in the journal, and never behind:
 * after a refusal or a crash it is built again from the rows.
 */
export interface RunState {
  row: RunRow
  readonly plan: CompiledPlan
  /** The steps of the plan, where they stand. */
  readonly root: Frame
  /** Steps that have started or were skipped, by path; the last attempt. */
  readonly steps: Map<string, StepRow>
  /** When the first attempt of a recorded step began, by path; as it was when the run was loaded. */
  readonly began: ReadonlyMap<string, Date>
  readonly gates: Map<string, GateRow>
  readonly effects: Map<string, EffectRow>
  readonly blackboard: Blackboard
  /** Loops and calls of blueprints under way, by the path of their step; an outer one stands before those in it. */
  readonly nests: Map<string, Nest>
  /** Steps whose tool is being called by this process. */
  readonly active: Set<string>
  /** What the expressions of the plan read. */
  readonly values: FrameValues
  /** What policies ask for before the run may begin, and the first step that is held for it; only in its first move. */
  admission: { readonly approval: PolicyApproval; first: string | null } | null
  /** Came and has not been consumed: it is consumed when the run has ended by it. */
  cancel: InboxRow | null
  /** What is known of the inbox, and what was taken from it already. */
  signals: number
  readonly taken: Set<string>
}

export interface RunRecords {
  readonly row: RunRow
  readonly plan: CompiledPlan
  readonly steps: readonly StepRow[]
  readonly gates: readonly GateRow[]
  readonly effects: readonly EffectRow[]
}

export function runStateOf(records: RunRecords, environment: EnvValue): RunState {
  const { row, plan } = records
  const steps = new Map<string, StepRow>()
  const began = new Map<string, Date>()
  for (const step of records.steps) {
    const before = began.get(step.path)
    if (step.started_at !== null && (before === undefined || step.started_at < before))
      began.set(step.path, step.started_at)
    if ((steps.get(step.path)?.attempt ?? 0) < step.attempt) steps.set(step.path, step)
  }
  const effects = new Map<string, EffectRow>()
  for (const effect of records.effects) {
    if ((effects.get(effect.path)?.attempt ?? 0) < effect.attempt) effects.set(effect.path, effect)
  }
  const blackboard = blackboardOf(records.steps, records.effects)
  const outer = {
    inputs: row.inputs,
    event: row.event as EventValue | null,
    run: {
      id: row.run_id,
      name: row.name,
      namespace: row.namespace,
      blueprint: row.blueprint,
      revision: row.revision,
      actor: row.actor,
    },
    env: environment,
    blackboard: blackboard.values,
  }
  const root = frameOf('', plan.steps, outer, steps)
  return {
    row,
    plan,
    root,
    steps,
    began,
    blackboard,
    gates: new Map(records.gates.map((gate) => [gate.path, gate])),
    effects,
    nests: new Map(),
    active: new Set(),
    values: root.values,
    admission: null,
    cancel: null,
    signals: row.signals,
    taken: new Set(),
  }
}
