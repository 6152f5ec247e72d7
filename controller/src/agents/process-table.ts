import type { ChildProcess } from 'node:child_process'
import { isAlive, type ProcessIdentity } from '../lib/process-identity.ts'
import type { InstanceMode } from '../store/queries/instances.ts'
import type { TaskRow } from '../store/queries/tasks.ts'
import type { StopReason } from './end-reasons.ts'
import type { Redact } from './redaction.ts'
import { signalInstance } from './runtimes/process/signal-instance.ts'

/** A process of this host that the controller watches: one it started, or one it adopted. */
export interface Process {
  readonly instanceId: string
  readonly agentUid: string
  readonly namespace: string
  readonly agent: string
  readonly ordinal: number
  readonly mode: InstanceMode
  readonly identity: ProcessIdentity
  readonly folder: string
  /** A command's task. */
  readonly task: TaskRow | null
  /** Takes the secrets it was given out of its texts; null for an adopted process: they have to be looked up. */
  readonly redact: Redact | null
  /** Set once it was asked to end. Times in milliseconds since the epoch. */
  stopping: {
    readonly reason: StopReason
    readonly since: number
    readonly terminatedAt: number | null
    readonly killed: boolean
  } | null
  /** Why a process is ended that is not being stopped: its heartbeats stayed away; its task ran out of time, was cancelled, printed too much. */
  verdict: 'heartbeat' | 'timeout' | 'cancelled' | 'output' | null
  /** When a command that got TERM gets KILL. */
  killAt: number | null
}

/** Knows which processes live, and says when one has ended: at once for children, at the next poll for adopted ones. */
export class ProcessTable {
  readonly #processes = new Map<string, Process>()
  readonly #ended: (process: Process) => void

  constructor(ended: (process: Process) => void) {
    this.#ended = ended
  }

  add(process: Process, child: ChildProcess | null): void {
    this.#processes.set(process.instanceId, process)
    if (child === null) return
    const ended = (): void => {
      if (this.#processes.get(process.instanceId) === process) this.#ended(process)
    }
    if (child.exitCode !== null || child.signalCode !== null) ended()
    else child.once('exit', ended)
  }

  get(instanceId: string): Process | undefined {
    return this.#processes.get(instanceId)
  }

  remove(instanceId: string): void {
    this.#processes.delete(instanceId)
  }

  clear(): void {
    this.#processes.clear()
  }

  get size(): number {
    return this.#processes.size
  }

  all(): Process[] {
    return [...this.#processes.values()]
  }

  commandsOf(agentUid: string): Process[] {
    return this.all().filter((process) => process.mode === 'perTask' && process.agentUid === agentUid)
  }

  /** Reports every process that has ended and whose end is not recorded yet, also again when recording it failed. */
  poll(): void {
    for (const process of this.all()) if (!isAlive(process.identity)) this.#ended(process)
  }
}

export function signal(process: Process, name: 'SIGTERM' | 'SIGKILL'): boolean {
  return signalInstance(process.identity, name, process.instanceId)
}
