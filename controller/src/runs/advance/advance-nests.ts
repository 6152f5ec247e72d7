import { renderTemplate } from '../../expressions/template.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Move } from '../move/move.ts'
import type { StepError } from '../ports.ts'
import { iterationOf, type Loop, resultOf } from '../state/loop.ts'
import { type CalledPlan, framesOf, type Nest } from '../state/nest.ts'
import { isNesting, nestsWithin } from '../state/running.ts'
import { causedBy, stepError } from '../state/step-error.ts'
import type { StepContext } from '../steps/handler.ts'
import { nextSteps, notStarted } from './scheduler.ts'
import { abandonSteps, startStep } from './start-step.ts'

/** Takes every loop and every called blueprint as far as it can go. True when one ended, so that the steps behind it may start. */
export function advanceNests(move: Move, context: StepContext): boolean {
  let ended = false
  for (const nest of move.run.nests.values()) ended = advanceNest(move, nest, context) || ended
  return ended
}

function advanceNest(move: Move, nest: Nest, context: StepContext): boolean {
  for (;;) {
    const failure = failureOf(move, nest)
    if (failure !== null) return failNest(move, nest, failure, context)
    if (nest.kind === 'foreach') beginIterations(move, nest)
    if (!advanceFrames(move, nest, context)) break
  }
  return nest.kind === 'foreach' ? completeLoop(move, nest) : completeCall(move, nest)
}

/** As many as the loop's concurrency allows; a long list is begun over several moves. */
function beginIterations(move: Move, loop: Loop): void {
  while (loop.live.size < loop.header.concurrency && loop.next < loop.items.length && !move.isLarge) {
    loop.live.set(loop.next, iterationOf(move.run.steps, loop, loop.next))
    loop.next += 1
  }
}

/** One step further in each frame; false when nothing moved. */
function advanceFrames(move: Move, nest: Nest, context: StepContext): boolean {
  let moved = nest.kind === 'foreach' && endIterations(move, nest)
  for (const frame of framesOf(nest)) {
    for (const step of nextSteps(frame, move.run.steps).ready) {
      startStep(move, step, context)
      moved = true
    }
  }
  return moved
}

function endIterations(move: Move, loop: Loop): boolean {
  let any = false
  for (const [index, frame] of loop.live) {
    const { ended, failed } = nextSteps(frame, move.run.steps)
    if (!ended || failed !== null) continue
    loop.results[index] = resultOf(loop, frame)
    loop.live.delete(index)
    any = true
  }
  return any
}

function completeLoop(move: Move, loop: Loop): boolean {
  if (loop.live.size > 0 || loop.next < loop.items.length) return false
  move.run.nests.delete(loop.header.path)
  move.completeStep(loop.header, loop.results)
  return true
}

function completeCall(move: Move, call: CalledPlan): boolean {
  const { header, frame } = call
  if (!nextSteps(frame, move.run.steps).ended) return false
  move.run.nests.delete(header.path)
  try {
    const outputs: JsonObject = {}
    for (const { name, value } of header.plan.outputs) outputs[name] = renderTemplate(value, frame.values)
    move.completeStep(header, outputs)
  } catch (error) {
    move.failStep(header, stepError(error, 'validation'))
  }
  return true
}

interface Failure {
  readonly error: StepError
  /** The error of steps that still ran. */
  readonly running: Error
  /** Calls of tools are told to stop; else they may end by themselves. */
  readonly abort: boolean
}

function failureOf(move: Move, nest: Nest): Failure | null {
  if (nest.failure !== null) return { error: stepError(nest.failure, 'timeout'), running: nest.failure, abort: true }
  for (const frame of framesOf(nest)) {
    const { failed } = nextSteps(frame, move.run.steps)
    if (failed === null) continue
    const error = causedBy(failed.path, move.run.steps.get(failed.path)!.error as unknown as StepError)
    const running = fail('SW_CANCELLED', `step ${failed.path} failed, so ${nest.header.path} ends`)
    return { error, running, abort: false }
  }
  return null
}

/** Nothing more begins; calls under way are waited for, since their effects take place whether we look or not. */
function failNest(move: Move, nest: Nest, failure: Failure, context: StepContext): boolean {
  const { active, steps } = move.run
  const inner = nestsWithin(move.run, nest)
  const running = [...inner, nest]
    .flatMap(framesOf)
    .flatMap((frame) => nextSteps(frame, steps).running.filter((step) => !isNesting(step)))
  abandonSteps(
    move,
    running.filter(({ path }) => !active.has(path)),
    failure.running,
    context,
  )
  const calls = running.filter(({ path }) => active.has(path))
  if (failure.abort) for (const { path } of calls) move.abortCall(path, failure.running)
  if (calls.length > 0) return false
  for (const one of inner) endNest(move, one, stepError(failure.running, 'cancelled'))
  endNest(move, nest, failure.error)
  return true
}

/** Ends what is nested in a run that ends; nothing in it runs any more. */
export function endNests(move: Move, error: StepError): void {
  for (const nest of [...move.run.nests.values()].reverse()) endNest(move, nest, error)
}

function endNest(move: Move, nest: Nest, error: StepError): void {
  const rest = framesOf(nest).flatMap((frame) => notStarted(frame, move.run.steps))
  for (const step of rest) move.skipStep(step, error.message)
  move.run.nests.delete(nest.header.path)
  move.failStep(nest.header, error)
}
