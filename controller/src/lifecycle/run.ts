import { type Next, next, statesBefore, type Table } from './table.ts'

/**
 * A run: `start` when its owner begins it, `cancel` when somebody asks for its end. Waiting (at a gate, for an agent) is `running`
 * with a condition, not a state.
 */
export const RUN_STATES = ['created', 'running', 'completed', 'failed', 'cancelled'] as const
export type RunState = (typeof RUN_STATES)[number]

export const RUN_EVENTS = ['start', 'complete', 'fail', 'cancel'] as const
export type RunEvent = (typeof RUN_EVENTS)[number]

export const runTable: Table<RunState, RunEvent> = {
  created: { start: 'running', complete: 'reject', fail: 'failed', cancel: 'cancelled' },
  // A run that was taken over is begun again by its new owner.
  running: { start: 'ignore', complete: 'completed', fail: 'failed', cancel: 'cancelled' },
  completed: { start: 'reject', complete: 'reject', fail: 'reject', cancel: 'ignore' },
  failed: { start: 'reject', complete: 'reject', fail: 'reject', cancel: 'ignore' },
  cancelled: { start: 'reject', complete: 'reject', fail: 'reject', cancel: 'ignore' },
}

export function nextRun(state: RunState, event: RunEvent): Next<RunState> {
  return next(runTable, state, event)
}

/** For SQL guards: the states a run may have before it gets into `to`. */
export function runStatesBefore(to: RunState): RunState[] {
  return statesBefore(runTable, to)
}
