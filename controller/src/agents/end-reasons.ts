/** Why we ended a process. */
export type StopReason =
  | 'deleted'
  | 'scaled'
  /** Somebody terminated its agent. */
  | 'terminated'
  /** Its agent's effective spec changed. */
  | 'replaced'
  /** Its replica runs on another host from now on. */
  | 'moved'
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
  /** The lease of its host ended, and with it everything that ran there. */
  | 'host_lost'
  /** It may still run; its agent was deleted with deletionPolicy Orphan. */
  | 'orphaned'

/** Why the task of an instance goes back to the queue. */
export function whyLost(reason: EndReason): string {
  switch (reason) {
    case 'heartbeat':
      return 'the agent that worked on it stopped reporting'
    case 'deleted':
    case 'scaled':
    case 'terminated':
    case 'replaced':
    case 'moved':
    case 'stopped':
    case 'shutdown':
      return 'the agent that worked on it was stopped'
    case 'host_lost':
      return 'the host of the agent that worked on it was lost'
    case 'orphaned':
      return 'its agent was deleted'
    default:
      return 'the agent that worked on it ended'
  }
}
