/** Which events tell that something went wrong: by the last word of their name (ours or not), by name, or by what they say. */
export const FAILURES = {
  words: [
    ...['failed', 'failure', 'error', 'critical', 'alert', 'dead_lettered', 'quarantined', 'refused', 'denied'],
    ...['abandoned', 'missed', 'exhausted', 'disconnected', 'unplaced', 'orphaned', 'history_rewritten'],
  ],
  names: [
    'stateward.alert.raised',
    'stateward.breaker.opened',
    'stateward.drift.detected',
    'stateward.fleet.frozen',
    'stateward.host.lease.expired',
    'stateward.run.gate.expired',
  ],
  /** Says in `ready` how an object stands; `False` is a failure. */
  statusEvent: 'stateward.object.status_changed',
} as const
