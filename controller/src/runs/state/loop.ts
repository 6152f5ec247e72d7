import type { ForeachStep } from '../../blueprints/compiled-plan.ts'
import { evaluateExpression } from '../../expressions/evaluate.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json } from '../../lib/json.ts'
import type { StepRow } from '../../store/journal.ts'
import { type Frame, frameOf, type Placed } from './frame.ts'

/**
 * A `foreach` that has started. It has no row before its end: what is known of it follows from the rows of its
 * iterations, so whoever takes the run over goes on where it stood.
 */
export interface Loop {
  readonly kind: 'foreach'
  readonly header: Placed<ForeachStep>
  readonly items: readonly Json[]
  readonly startedAt: Date
  /** Index of the next iteration to begin. */
  next: number
  /** Iterations that have begun and not ended, by index. */
  readonly live: Map<number, Frame>
  /** What each ended iteration came to, by index. */
  readonly results: Json[]
  /** Set when the loop has to end before its iterations do. */
  failure: Error | null
}

/** SW_MAX_ITERATIONS_EXCEEDED: more items than the loop takes. SW_EXPRESSION_FAILED: `items` is no list. */
export function beginLoop(header: Placed<ForeachStep>, startedAt: Date): Loop {
  const items = evaluateExpression(header.items, { ...header.frame.values, env: undefined as never })
  if (!Array.isArray(items))
    throw fail('SW_EXPRESSION_FAILED', `the items of loop ${header.path} have to be a list: ${header.items}`)
  if (items.length > header.maxIterations) {
    throw fail(
      'SW_MAX_ITERATIONS_EXCEEDED',
      `loop ${header.path} has ${items.length} items, more than its ${header.maxIterations}`,
      { details: { items: items.length, max_iterations: header.maxIterations } },
    )
  }
  return { kind: 'foreach', header, items, startedAt, next: 0, live: new Map(), results: [], failure: null }
}

/** The steps of one iteration, where they stand. */
export function iterationOf(rows: ReadonlyMap<string, StepRow>, loop: Loop, index: number): Frame {
  const { header, items } = loop
  const { values } = header.frame
  const variables = { ...values.variables, [header.as]: items[index]!, index: BigInt(index) }
  return frameOf(`${header.path}[${index}].`, header.steps, { ...values, variables }, rows)
}

/** What an iteration that has ended came to. */
export function resultOf(loop: Loop, frame: Frame): Json {
  return frame.values.steps[loop.header.result]?.output ?? null
}
