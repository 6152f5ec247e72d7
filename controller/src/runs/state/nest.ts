import type { BlueprintStep } from '../../blueprints/compiled-plan.ts'
import { resolveInputs } from '../../blueprints/inputs.ts'
import { renderTemplate } from '../../expressions/template.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { StepRow } from '../../store/journal.ts'
import { type Frame, frameOf, type Placed } from './frame.ts'
import type { Loop } from './loop.ts'

/**
 * A call of a blueprint that has started. Like a loop it has no row before its end: what is known of it follows from the
 * rows of its steps.
 */
export interface CalledPlan {
  readonly kind: 'blueprint'
  readonly header: Placed<BlueprintStep>
  readonly startedAt: Date
  readonly inputs: JsonObject
  readonly frame: Frame
  /** Set when it has to end before its steps do. */
  failure: Error | null
}

/** A step with steps of its own, under way. They may nest: `call.each[3].fix`. */
export type Nest = Loop | CalledPlan

/**
 * SW_VALIDATION_FAILED: the inputs do not fit the called blueprint. It knows its own inputs and steps, and nothing of the
 * plan around it; no event started it.
 */
export function beginCall(
  header: Placed<BlueprintStep>,
  startedAt: Date,
  rows: ReadonlyMap<string, StepRow>,
): CalledPlan {
  const { values } = header.frame
  const given = renderTemplate(header.inputs, { ...values, env: undefined as never }) as JsonObject
  const inputs = resolveInputs(header.plan, given, null)
  if (!inputs.ok) {
    const [first] = inputs.problems
    throw fail(
      'SW_VALIDATION_FAILED',
      `the inputs of step ${header.path} do not fit ${header.ref}: ${first!.message}`,
      {
        details: {
          violations: inputs.problems.map(({ pointer, message }) => ({ path: `/inputs${pointer}`, message })),
        },
      },
    )
  }
  const { variables: _variables, steps: _steps, ...around } = values
  const own = { ...around, inputs: inputs.values, event: null }
  const frame = frameOf(`${header.path}.`, header.plan.steps, own, rows)
  return { kind: 'blueprint', header, startedAt, inputs: inputs.values, frame, failure: null }
}

/** What the row of a nest says of its beginning. */
export function nestInputs(nest: Nest): JsonObject {
  if (nest.kind === 'foreach') return { iterations: nest.items.length }
  return { blueprint: nest.header.ref, plan_digest: nest.header.plan.digest, inputs: nest.inputs }
}

/** Where steps of a nest can move. */
export function framesOf(nest: Nest): readonly Frame[] {
  return nest.kind === 'foreach' ? [...nest.live.values()] : [nest.frame]
}

export interface PlaceInNest {
  /** Path of the step whose plan it is in. */
  readonly header: string
  /** The iteration of a loop; null inside a called blueprint. */
  readonly index: number | null
}

const INNERMOST = /^(.+?)(?:\[(\d+)\])?$/

/** The nest a step stands in directly; null for a step of the run's own plan. */
export function placeInNest(path: string): PlaceInNest | null {
  const dot = path.lastIndexOf('.')
  if (dot < 0) return null
  const [, header, index] = INNERMOST.exec(path.slice(0, dot))!
  return { header: header!, index: index === undefined ? null : Number(index) }
}
