import { type Next, next, statesBefore, type Table } from './table.ts'

/**
 * A step of a run. A step without an outside effect goes from `created` to its end at once. `retry` is the next attempt of a failed
 * one, which stays `running`; `cancel` is the end of the run around it.
 */
export const STEP_STATES = ['created', 'running', 'completed', 'failed', 'skipped'] as const
export type StepState = (typeof STEP_STATES)[number]

export const STEP_EVENTS = ['start', 'complete', 'fail', 'skip', 'retry', 'cancel'] as const
export type StepEvent = (typeof STEP_EVENTS)[number]

export const stepTable: Table<StepState, StepEvent> = {
  created: {
    start: 'running',
    complete: 'completed',
    fail: 'failed',
    skip: 'skipped',
    retry: 'reject',
    cancel: 'skipped',
  },
  // An idempotent effect whose outcome a crash hid is started again.
  running: {
    start: 'ignore',
    complete: 'completed',
    fail: 'failed',
    skip: 'reject',
    retry: 'running',
    cancel: 'failed',
  },
  // A result that comes after the end (a task reported late) changes nothing.
  completed: { start: 'reject', complete: 'ignore', fail: 'ignore', skip: 'reject', retry: 'reject', cancel: 'ignore' },
  failed: { start: 'reject', complete: 'ignore', fail: 'ignore', skip: 'reject', retry: 'reject', cancel: 'ignore' },
  skipped: { start: 'reject', complete: 'reject', fail: 'reject', skip: 'ignore', retry: 'reject', cancel: 'ignore' },
}

export function nextStep(state: StepState, event: StepEvent): Next<StepState> {
  return next(stepTable, state, event)
}

/** For SQL guards: the states a step may have before it gets into `to`. */
export function stepStatesBefore(to: StepState): StepState[] {
  return statesBefore(stepTable, to)
}
