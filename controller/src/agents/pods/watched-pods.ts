import type { StopReason } from '../end-reasons.ts'
import type { PodLog } from '../runtimes/pod/pod-log.ts'

/** What this controller knows of a pod beside its row. Times in milliseconds since the epoch. */
export interface Watched {
  readonly name: string
  readonly log: PodLog
  stopping: {
    readonly reason: StopReason
    readonly since: number
    readonly terminatedAt: number | null
    readonly killed: boolean
  } | null
  /** Why it is ended that is not being stopped: its heartbeats stayed away; its task ran out of time, or was cancelled. */
  verdict: 'heartbeat' | 'timeout' | 'cancelled' | null
}

/** The pods this controller looks after, by instance. */
export type WatchedPods = Map<string, Watched>
