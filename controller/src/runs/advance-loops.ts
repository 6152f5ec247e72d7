import { fail } from '../lib/error-catalogue.ts'
import type { Placed } from './frame.ts'
import { iterationOf, type Loop, resultOf } from './loop.ts'
import type { Move } from './move.ts'
import type { StepError } from './ports.ts'
import { nextSteps, notStarted } from './scheduler.ts'
import { abandonSteps, startStep } from './start-step.ts'
import { stepError } from './step-error.ts'
import type { StepContext } from './steps/handler.ts'

/** Takes every loop as far as it can go. True when a loop ended, so that the steps behind it may start. */
export function advanceLoops(move: Move, context: StepContext): boolean {
  let ended = false
  for (const loop of move.run.loops.values()) ended = advanceLoop(move, loop, context) || ended
  return ended
}

function advanceLoop(move: Move, loop: Loop, context: StepContext): boolean {
  for (;;) {
    const failure = failureOf(move, loop)
    if (failure !== null) return failLoop(move, loop, failure, context)
    beginIterations(move, loop)
    if (!advanceIterations(move, loop, context)) break
  }
  if (loop.live.size > 0 || loop.next < loop.items.length) return false
  move.run.loops.delete(loop.header.path)
  move.completeStep(loop.header, loop.results)
  return true
}

/** As many as the loop's concurrency allows; a long list is begun over several moves. */
function beginIterations(move: Move, loop: Loop): void {
  while (loop.live.size < loop.header.concurrency && loop.next < loop.items.length && !move.isLarge) {
    loop.live.set(loop.next, iterationOf(move.run.steps, loop, loop.next))
    loop.next += 1
  }
}

/** One step further in each iteration; false when nothing moved. */
function advanceIterations(move: Move, loop: Loop, context: StepContext): boolean {
  let moved = false
  for (const [index, frame] of loop.live) {
    const { ready, ended, failed } = nextSteps(frame, move.run.steps)
    if (ended && failed === null) {
      loop.results[index] = resultOf(loop, frame)
      loop.live.delete(index)
      moved = true
    }
    for (const step of ready) {
      startStep(move, step, context)
      moved = true
    }
  }
  return moved
}

function failureOf(move: Move, loop: Loop): { readonly error: StepError; readonly running: Error } | null {
  if (loop.failure !== null) return { error: stepError(loop.failure, 'timeout'), running: loop.failure }
  for (const frame of loop.live.values()) {
    const { failed } = nextSteps(frame, move.run.steps)
    if (failed === null) continue
    const cause = move.run.steps.get(failed.path)!.error as unknown as StepError
    const message = `step ${failed.path} failed`
    return {
      error: { ...cause, message: `${message}: ${cause.message}`, details: { ...cause.details, step: failed.path } },
      running: fail('SW_CANCELLED', `${message}, so its loop ends`),
    }
  }
  return null
}

/** Nothing more begins; calls under way are waited for, since their effects take place whether we look or not. */
function failLoop(
  move: Move,
  loop: Loop,
  failure: { readonly error: StepError; readonly running: Error },
  context: StepContext,
): boolean {
  const { active, steps } = move.run
  const running = [...loop.live.values()].flatMap((frame) => nextSteps(frame, steps).running)
  abandonSteps(
    move,
    running.filter(({ path }) => !active.has(path)),
    failure.running,
    context,
  )
  if (running.some(({ path }) => active.has(path))) return false
  skipRest(move, loop, failure.error.message)
  move.failStep(loop.header, failure.error)
  return true
}

/** Ends the loops of a run that ends; nothing in them runs any more. */
export function endLoops(move: Move, error: StepError): void {
  for (const loop of move.run.loops.values()) {
    skipRest(move, loop, error.message)
    move.failStep(loop.header, error)
  }
}

function skipRest(move: Move, loop: Loop, reason: string): void {
  const rest: Placed[] = [...loop.live.values()].flatMap((frame) => notStarted(frame, move.run.steps))
  for (const step of rest) move.skipStep(step, reason)
  move.run.loops.delete(loop.header.path)
}
