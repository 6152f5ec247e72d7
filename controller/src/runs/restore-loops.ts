import { beginLoop, iterationAt, iterationOf, resultOf } from './loop.ts'
import type { Move } from './move.ts'
import { nextSteps } from './scheduler.ts'

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
      const frame = iterationOf(run.steps, loop, index)
      const { ended, failed } = nextSteps(frame, run.steps)
      if (ended && failed === null) loop.results[index] = resultOf(loop, frame)
      else loop.live.set(index, frame)
    }
    move.holdStep(header, { iterations: loop.items.length }, loop.startedAt)
    run.loops.set(header.path, loop)
  }
}
