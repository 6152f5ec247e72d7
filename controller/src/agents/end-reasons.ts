/** Why we ended a process. */
export type StopReason =
  | 'deleted'
  | 'scaled'
  /** Its agent's effective spec changed. */
  | 'replaced'
  /** It was asked to end before this controller started. */
  | 'stopped'
  /** The controller went down. */
  | 'shutdown'

/** Why a process is not there any more: `end_reason` of its row and `data.reason` of its event. */
export type EndReason =
  | StopReason
  /** By itself: the exit code says how. */
  | 'exited'
  /** Killed after its heartbeats stayed away. */
  | 'heartbeat'
  /** Nobody knows: it ended while no controller watched, without an exit record. */
  | 'lost'
  | 'not_started'
  /** It may still run; its agent was deleted with deletionPolicy Orphan. */
  | 'orphaned'
