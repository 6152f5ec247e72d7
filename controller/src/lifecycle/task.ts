import { type Next, next, statesBefore, type Table } from './table.ts'

/**
 * Work for an agent. `lease` gives it to one instance, `release` takes it back from one that is gone, so that another can have it;
 * `fail` is also its deadline.
 */
export const TASK_STATES = ['queued', 'leased', 'completed', 'failed', 'cancelled'] as const
export type TaskState = (typeof TASK_STATES)[number]

export const TASK_EVENTS = ['lease', 'complete', 'fail', 'cancel', 'release'] as const
export type TaskEvent = (typeof TASK_EVENTS)[number]

export const taskTable: Table<TaskState, TaskEvent> = {
  queued: { lease: 'leased', complete: 'reject', fail: 'failed', cancel: 'cancelled', release: 'ignore' },
  leased: { lease: 'reject', complete: 'completed', fail: 'failed', cancel: 'cancelled', release: 'queued' },
  // A report may be repeated after a lost answer; another outcome than the recorded one is refused.
  completed: { lease: 'reject', complete: 'ignore', fail: 'reject', cancel: 'ignore', release: 'ignore' },
  failed: { lease: 'reject', complete: 'reject', fail: 'ignore', cancel: 'ignore', release: 'ignore' },
  cancelled: { lease: 'reject', complete: 'ignore', fail: 'ignore', cancel: 'ignore', release: 'ignore' },
}

export function nextTask(state: TaskState, event: TaskEvent): Next<TaskState> {
  return next(taskTable, state, event)
}

/** For SQL guards: the states a task may have before it gets into `to`. */
export function taskStatesBefore(to: TaskState): TaskState[] {
  return statesBefore(taskTable, to)
}
