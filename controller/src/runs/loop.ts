import type { ForeachStep } from '../blueprints/compiled-plan.ts'
import { evaluateExpression } from '../expressions/evaluate.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { Json } from '../lib/json.ts'
import { type Frame, frameOf, type Placed } from './frame.ts'
import type { Move } from './move.ts'
import type { RunState } from './run-state.ts'
import { nextSteps } from './scheduler.ts'

/**
 * A `foreach` that has started. It has no row before its end: what is known of it follows from the rows of its
 * iterations, so whoever takes the run over goes on where it stood.
 */
export interface Loop {
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

/** SW_MAX_STEPS_EXCEEDED: more items than the loop takes. SW_EXPRESSION_FAILED: `items` is no list. */
export function beginLoop(header: Placed<ForeachStep>, startedAt: Date): Loop {
  const items = evaluateExpression(header.items, { ...header.frame.values, env: undefined as never })
  if (!Array.isArray(items))
    throw fail('SW_EXPRESSION_FAILED', `the items of loop ${header.path} have to be a list: ${header.items}`)
  if (items.length > header.maxIterations) {
    throw fail(
      'SW_MAX_STEPS_EXCEEDED',
      `loop ${header.path} has ${items.length} items, more than its ${header.maxIterations}`,
      { details: { items: items.length, max_iterations: header.maxIterations } },
    )
  }
  return { header, items, startedAt, next: 0, live: new Map(), results: [], failure: null }
}

/** The steps of one iteration, where they stand. */
export function iterationOf(run: RunState, loop: Loop, index: number): Frame {
  const { header, items } = loop
  const { values } = header.frame
  const variables = { ...values.variables, [header.as]: items[index]!, index: BigInt(index) }
  return frameOf(`${header.path}[${index}].`, header.steps, { ...values, variables }, run.steps)
}

/** What an iteration that has ended came to. */
export function resultOf(loop: Loop, frame: Frame): Json {
  return frame.values.steps[loop.header.result]?.output ?? null
}

const ITERATION = /^(.+)\[(\d+)\]\.[^.]+$/

/** The loop and the index of a step inside a loop; null for any other path. */
export function iterationAt(path: string): { readonly header: string; readonly index: number } | null {
  const [, header, index] = ITERATION.exec(path) ?? []
  return header === undefined ? null : { header, index: Number(index) }
}

/** Builds the loops again that were under way when the run's last owner went away, from the rows of their iterations. */
export function restoreLoops(move: Move): void {
  const { run } = move
  const begun = new Map<string, { next: number; startedAt: Date | null }>()
  for (const row of run.steps.values()) {
    const at = iterationAt(row.path)
    if (at === null || row.status === 'created') continue
    const known = begun.get(at.header) ?? { next: 0, startedAt: null }
    const time = row.started_at ?? row.completed_at
    if (time !== null && (known.startedAt === null || time < known.startedAt)) known.startedAt = time
    known.next = Math.max(known.next, at.index + 1)
    begun.set(at.header, known)
  }
  for (const header of run.root.steps) {
    if (header.kind !== 'foreach' || (run.steps.get(header.path)?.status ?? 'created') !== 'created') continue
    const known = begun.get(header.path)
    if (known === undefined) continue
    const loop = beginLoop(header, known.startedAt ?? run.row.started_at ?? run.row.created_at)
    loop.next = known.next
    for (let index = 0; index < loop.next; index++) {
      const frame = iterationOf(run, loop, index)
      const { ended, failed } = nextSteps(frame, run.steps)
      if (ended && failed === null) loop.results[index] = resultOf(loop, frame)
      else loop.live.set(index, frame)
    }
    move.holdStep(header, { iterations: loop.items.length }, loop.startedAt)
    run.loops.set(header.path, loop)
  }
}
