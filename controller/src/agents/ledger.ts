import type { ProcessIdentity } from '../lib/process-identity.ts'
import type { InstanceRow, NewInstance } from '../store/queries/instances.ts'
import type { TaskRow } from '../store/queries/tasks.ts'
import type { EndReason, StopReason } from './end-reasons.ts'
import type { TaskOutcome } from './task-outcome.ts'

/**
 * What supervision of one host reads and records. Next to the database it is transactions (`sql-ledger.ts`); on a joined
 * host, which has no database, it is requests to the control plane, which runs the same transactions. Every write is one
 * transaction with its events, and tells runs, queues and watchers what it changed.
 */
export interface Ledger {
  /** False when effects may not be started at this moment: whoever has to know could not be asked in time. */
  canStart(): boolean
  /** What is known of an agent's processes: those that live anywhere, how its daemons ended last, the tasks they hold. */
  look(agentUid: string, replicas: number): Promise<Standing>
  /** What lives on this host, oldest first. */
  living(): Promise<readonly InstanceRow[]>
  /** Processes of this boot of this machine that were given up as lost. */
  lost(bootId: string): Promise<readonly LostProcess[]>
  /** Slots that living processes take of this host. */
  usedSlots(): Promise<number>
  /** Tasks that instances hold. */
  tasksOf(instanceIds: readonly string[]): Promise<readonly TaskRow[]>
  /** What there is to do, for a host whose commands are `instanceIds`. */
  queue(instanceIds: readonly string[]): Promise<Queue>
  /** Those of `ids` that ended before a time, or that have no row at all. */
  endedBefore(ids: readonly string[], before: Date): Promise<readonly string[]>

  /** Takes a replica's place and slots of the host for a daemon that is about to be started. */
  insert(row: NewInstance, capacity: number): Promise<'inserted' | 'taken' | 'full'>
  /** The same for a command, together with the oldest queued task of its agent. */
  claim(row: NewInstance, capacity: number): Promise<Claim>
  started(id: string, identity: ProcessIdentity): Promise<void>
  adopted(id: string, identity: ProcessIdentity): Promise<void>
  /** From now on it gets no tasks. */
  draining(id: string, reason: StopReason): Promise<void>
  /** A process that never came to be. */
  notStarted(id: string, message: string): Promise<void>
  /** A daemon has ended; its tasks go back to the queue, and are returned. */
  ended(id: string, end: DaemonEnd): Promise<readonly TaskRow[]>
  /** A command has ended, with what becomes of its task. */
  commandEnded(id: string, end: CommandEnd): Promise<void>
}

export interface Standing {
  readonly live: readonly InstanceRow[]
  readonly endings: readonly InstanceRow[]
  readonly tasks: readonly TaskRow[]
}

export interface LostProcess {
  readonly id: string
  readonly pid: number
  readonly pid_start: string
}

export interface Queue {
  /** Any task is queued or leased. */
  readonly open: boolean
  /** Those commands whose task is still theirs. */
  readonly holding: readonly string[]
  /** Agents that have something to do. */
  readonly queued: readonly { readonly namespace: string; readonly agent: string }[]
}

export type Claim = { readonly type: 'claimed'; readonly task: TaskRow } | { readonly type: 'none' | 'full' | 'taken' }

export interface DaemonEnd {
  readonly exitCode: number | null
  readonly reason: EndReason
  readonly pid: number | null
}

export interface CommandEnd {
  readonly exitCode: number | null
  readonly reason: EndReason
  readonly attempt: TaskAttempt | null
  readonly verdict: CommandVerdict
}

/** Which attempt of which task a command worked on. */
export interface TaskAttempt {
  readonly task_id: string
  readonly attempt: number
}

/** What becomes of a command's task: it has a result, goes back to the queue, or (cancelled) nothing. */
export type CommandVerdict =
  | { readonly type: 'settle'; readonly outcome: TaskOutcome }
  | { readonly type: 'give-back'; readonly why: string }
  | { readonly type: 'nothing' }
