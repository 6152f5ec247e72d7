import { type Next, next, statesBefore, type Table } from './table.ts'

/**
 * A process of an agent. `register` is its first report (a perTask command: its first sign of life), `stop` our wish that it ends,
 * `end` the certainty that it did. A replacement is another instance.
 */
export const INSTANCE_STATES = ['starting', 'running', 'stopping', 'ended'] as const
export type InstanceState = (typeof INSTANCE_STATES)[number]

export const INSTANCE_EVENTS = ['register', 'stop', 'end'] as const
export type InstanceEvent = (typeof INSTANCE_EVENTS)[number]

export const instanceTable: Table<InstanceState, InstanceEvent> = {
  starting: { register: 'running', stop: 'stopping', end: 'ended' },
  // A daemon registers again when the controller was restarted.
  running: { register: 'ignore', stop: 'stopping', end: 'ended' },
  stopping: { register: 'ignore', stop: 'ignore', end: 'ended' },
  ended: { register: 'reject', stop: 'ignore', end: 'ignore' },
}

export function nextInstance(state: InstanceState, event: InstanceEvent): Next<InstanceState> {
  return next(instanceTable, state, event)
}

/** For SQL guards: the states an instance may have before it gets into `to`. */
export function instanceStatesBefore(to: InstanceState): InstanceState[] {
  return statesBefore(instanceTable, to)
}
