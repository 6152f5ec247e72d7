import type { AgentTarget } from './agent-target.ts'
import { agentKey } from './agent-target.ts'
import type { AgentsContext, HostContext } from './context.ts'
import { KeyedSerial } from './keyed-serial.ts'
import type { LeaseQueue } from './lease-queue.ts'
import type { Ledger } from './ledger.ts'
import type { Hindrance } from './observation.ts'
import type { ProcessTable } from './process-table.ts'
import type { TaskNotifier } from './task-notifier.ts'
import { Trees } from './trees.ts'
import { type Workspaces, workspacesIn } from './workspaces.ts'

/** The state that everything which starts, watches and ends the processes of one machine shares. */
export interface HostFleet {
  readonly context: HostContext
  readonly ledger: Ledger
  readonly workspaces: Workspaces
  readonly trees: Trees
  readonly notifier: TaskNotifier
  readonly processes: ProcessTable
  /** What is wanted, by agent uid. */
  readonly targets: Map<string, AgentTarget>
  /** Instances whose row exists and whose process is being started at this moment: they are not lost. */
  readonly starting: Set<string>
  /** Work on one agent, one after the other. */
  readonly serial: KeyedSerial
  /** Placing processes on the host, one after the other: room that was counted is still there when it is taken. */
  readonly placing: KeyedSerial
  /** This process starts, watches and ends agents; another one only answers those that report to it. */
  supervising: boolean
  /** No more starts: the controller goes down. */
  closing: boolean
  /** Before that nobody was listened to, so nobody is declared dead for his silence. Milliseconds since the epoch. */
  observedSince: number
  /** Something about an agent changed; called after the commit. */
  changed: (agent: { readonly namespace: string; readonly agent: string }) => void
  /** What other hosts, and the placement on hosts, say keeps replicas of an agent from running. */
  readonly elsewhere: (agentUid: string) => Promise<Hindrance>
  /** Has the supervisor look after an agent soon. */
  look: (agentUid: string) => void
}

/** The same in a process next to the database: it also answers the agents that report to it. */
export interface Fleet extends HostFleet {
  readonly context: AgentsContext
  readonly leases: LeaseQueue
}

export function makeFleet<Context extends HostContext>(
  context: Context,
  parts: {
    readonly processes: ProcessTable
    readonly notifier: TaskNotifier
    readonly ledger: Ledger
    readonly changed: (key: string) => void
    readonly look: (agentUid: string) => void
    readonly elsewhere: (agentUid: string) => Promise<Hindrance>
  },
): HostFleet & { readonly context: Context } {
  const { processes, notifier, ledger } = parts
  return {
    context,
    ledger,
    workspaces: workspacesIn(context.dataDir),
    trees: new Trees(context.dataDir, context.writeTree),
    notifier,
    processes,
    targets: new Map(),
    starting: new Set(),
    serial: new KeyedSerial(),
    placing: new KeyedSerial(),
    supervising: false,
    closing: false,
    observedSince: context.clock.now().getTime(),
    changed: ({ namespace, agent }) => parts.changed(agentKey({ namespace, name: agent })),
    look: parts.look,
    elsewhere: parts.elsewhere,
  }
}

/** The agent of that name that is wanted now. */
export function targetNamed(fleet: HostFleet, namespace: string, name: string): AgentTarget | null {
  for (const target of fleet.targets.values()) if (target.namespace === namespace && target.name === name) return target
  return null
}
