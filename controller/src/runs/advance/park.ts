import type { JsonObject } from '../../lib/json.ts'
import type { Move } from '../move/move.ts'
import { runningNests, runningSteps } from '../state/running.ts'
import type { WaitReason } from '../steps/handler.ts'
import { dueAt, waitingFor } from './pending.ts'

/** Waiting for these, the time of a run stands still. */
const STANDS_STILL: readonly WaitReason[] = [
  'WaitingForApproval',
  'WaitingForEvent',
  'WaitingForTime',
  'WaitingForBudget',
]

/** Condition of a run that waits. While it waits for what is not its own work, its time stands still: `remaining_ms` is what is left. */
interface WaitingCondition {
  readonly reason: string
  readonly message: string
  readonly since: string
  readonly remaining_ms?: number
}

/**
 * Gives a run up that only waits: nobody owns it, and it costs nothing, until something comes to its inbox or its time
 * comes. Returns when that is; null = only its inbox.
 */
export function park(move: Move): Date | null {
  const running = runningSteps(move.run)
  const waits = running.map((step) => waitingFor(move, step))
  const first = waits[0]
  const forOthers = waits.length > 0 && waits.every(({ reason }) => STANDS_STILL.includes(reason))
  const { deadline } = move.run.row
  const before = move.run.row.condition as WaitingCondition | null
  const remaining = forOthers && deadline !== null ? { remaining_ms: deadline.getTime() - move.now.getTime() } : {}
  const same = before !== null && before.reason === first?.reason && before.message === first.message
  const condition: JsonObject | null =
    first === undefined
      ? null
      : {
          reason: first.reason,
          message: first.message,
          since: same ? before.since : move.now.toISOString(),
          ...remaining,
        }
  move.changeRun({ condition, ...(forOthers ? { deadline: null } : {}) })
  const times = [...running, ...runningNests(move.run)].map((step) => dueAt(move, step))
  const wakeAt = earliest([...times, move.run.row.deadline])
  move.release(wakeAt)
  return wakeAt
}

/** Lets the time of a run go on that stood still while it waited for others. */
export function unpark(move: Move): void {
  const condition = move.run.row.condition as WaitingCondition | null
  if (condition?.remaining_ms === undefined) return
  const { remaining_ms, ...rest } = condition
  move.changeRun({ condition: rest, deadline: new Date(move.now.getTime() + remaining_ms) })
}

function earliest(times: readonly (Date | null)[]): Date | null {
  const known = times.filter((time) => time !== null).map((time) => time.getTime())
  return known.length === 0 ? null : new Date(Math.min(...known))
}
