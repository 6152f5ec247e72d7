import type { CompiledStep } from '../../blueprints/compiled-plan.ts'
import type { ExpressionValues, StepValue } from '../../expressions/values.ts'
import type { StepRow } from '../../store/journal.ts'

/** What the expressions of a frame read; `steps` moves with the run. */
export type FrameValues = ExpressionValues & { readonly steps: Record<string, StepValue> }

/** Steps that run side by side under one scope of variables: the plan of a run, or one iteration of a loop. */
export interface Frame {
  /** Path = prefix + id: empty for the plan itself, `each[3].` inside a loop. */
  readonly prefix: string
  readonly steps: readonly Placed[]
  readonly values: FrameValues
}

/** A step of the plan at its place in a run. One step of a loop's plan is at as many places as there are items. */
export type Placed<Step extends CompiledStep = CompiledStep> = Step & {
  readonly path: string
  readonly frame: Frame
}

/** Puts steps into a frame of their own; their values come from the recorded rows. */
export function frameOf(
  prefix: string,
  plan: readonly CompiledStep[],
  outer: ExpressionValues,
  rows: ReadonlyMap<string, StepRow>,
): Frame {
  const steps: Placed[] = []
  const values: Record<string, StepValue> = { ...outer.steps }
  const frame: Frame = { prefix, steps, values: { ...outer, steps: values } }
  for (const step of plan) {
    const path = prefix + step.id
    values[step.id] = stepValue(rows.get(path))
    steps.push({ ...step, path, frame })
  }
  return frame
}

export function stepValue(step: StepRow | undefined): StepValue {
  return { status: step?.status ?? 'created', output: step?.outputs ?? null, error: step?.error ?? null }
}
