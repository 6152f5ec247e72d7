import type { Move } from '../move/move.ts'
import type { Frame } from '../state/frame.ts'
import { isHeld } from '../state/held.ts'
import { beginLoop, iterationOf, type Loop, resultOf } from '../state/loop.ts'
import { beginCall, framesOf, type Nest, nestInputs, placeInNest } from '../state/nest.ts'
import type { RunState } from '../state/run-state.ts'
import { isNesting } from '../state/running.ts'
import { nextSteps } from './scheduler.ts'

/** What the rows say of a loop or a called blueprint, by the path of its step. */
interface Begun {
  /** Behind the last iteration that began. */
  next: number
  startedAt: Date | null
}

/** Builds the loops and calls again that were under way when the run's last owner went away, from the rows of their steps. */
export function restoreNests(move: Move): void {
  const begun = begunNests(move.run)
  if (begun.size > 0) restoreIn(move, move.run.root, begun)
}

function begunNests(run: RunState): Map<string, Begun> {
  const begun = new Map<string, Begun>()
  for (const row of run.steps.values()) {
    if (row.status === 'created') continue
    const time = run.began.get(row.path) ?? row.completed_at
    for (let place = placeInNest(row.path); place !== null; place = placeInNest(place.header)) {
      const known = begun.get(place.header) ?? { next: 0, startedAt: null }
      if (time !== null && (known.startedAt === null || time < known.startedAt)) known.startedAt = time
      if (place.index !== null) known.next = Math.max(known.next, place.index + 1)
      begun.set(place.header, known)
    }
  }
  return begun
}

function restoreIn(move: Move, frame: Frame, begun: ReadonlyMap<string, Begun>): void {
  const { run } = move
  for (const step of frame.steps) {
    if (!isNesting(step)) continue
    const row = run.steps.get(step.path)
    // One that was held back has a row from before it began.
    const wasHeld = row?.status === 'running' && !isHeld(run, step.path)
    const known = begun.get(step.path) ?? (wasHeld ? { next: 0, startedAt: null } : undefined)
    if (known === undefined || (row !== undefined && row.status !== 'created' && !wasHeld)) continue
    // What a run took over ended before it was made; the loop or call goes on, and its time counts, from here.
    const startedAt = latest(known.startedAt ?? row?.started_at ?? run.row.started_at, run.row.created_at)
    const nest: Nest = step.kind === 'foreach' ? beginLoop(step, startedAt) : beginCall(step, startedAt, run.steps)
    move.holdStep(step, nestInputs(nest), startedAt)
    run.nests.set(step.path, nest)
    if (nest.kind === 'foreach') restoreIterations(move, nest, known.next)
    for (const inner of framesOf(nest)) restoreIn(move, inner, begun)
  }
}

function latest(time: Date | null, other: Date): Date {
  return time !== null && time > other ? time : other
}

function restoreIterations(move: Move, loop: Loop, next: number): void {
  loop.next = next
  for (let index = 0; index < next; index++) {
    const frame = iterationOf(move.run.steps, loop, index)
    const { ended, failed } = nextSteps(frame, move.run.steps)
    if (ended && failed === null) loop.results[index] = resultOf(loop, frame)
    else loop.live.set(index, frame)
  }
}
