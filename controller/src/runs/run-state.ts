import type { CompiledPlan } from '../blueprints/compiled-plan.ts'
import type { EnvValue, EventValue, ExpressionValues, StepValue } from '../expressions/values.ts'
import type { EffectRow, GateRow, StepRow } from '../store/journal.ts'
import type { InboxRow } from '../store/queries/inbox.ts'
import type { RunRow } from '../store/queries/runs.ts'

/**
 * A run as its owner holds it in memory. It is ahead of the database by what is queued in the journal, and never behind:
 * after a refusal or a crash it is built again from the rows.
 */
export interface RunState {
  row: RunRow
  readonly plan: CompiledPlan
  /** Steps that have started or were skipped, by path; the last attempt. */
  readonly steps: Map<string, StepRow>
  readonly gates: Map<string, GateRow>
  readonly effects: Map<string, EffectRow>
  /** Steps whose tool is being called by this process. */
  readonly active: Set<string>
  /** What expressions read; `steps` moves with the run. */
  readonly values: ExpressionValues & { readonly steps: Record<string, StepValue> }
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
  for (const step of records.steps) {
    if ((steps.get(step.path)?.attempt ?? 0) < step.attempt) steps.set(step.path, step)
  }
  const values: Record<string, StepValue> = {}
  for (const { id } of plan.steps) values[id] = stepValue(steps.get(id))
  return {
    row,
    plan,
    steps,
    gates: new Map(records.gates.map((gate) => [gate.path, gate])),
    effects: new Map(records.effects.map((effect) => [effect.path, effect])),
    active: new Set(),
    values: {
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
      steps: values,
    },
    cancel: null,
    signals: row.signals,
    taken: new Set(),
  }
}

export function stepValue(step: StepRow | undefined): StepValue {
  return { status: step?.status ?? 'created', output: step?.outputs ?? null, error: step?.error ?? null }
}
