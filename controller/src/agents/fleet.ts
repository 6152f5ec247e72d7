import type { AgentTarget } from './agent-target.ts'
import { agentKey } from './agent-target.ts'
import type { AgentsContext } from './context.ts'
import { KeyedSerial } from './keyed-serial.ts'
import type { ProcessTable } from './process-table.ts'
import { TaskNotifier } from './task-notifier.ts'
import { Trees } from './trees.ts'
import { type Workspaces, workspacesIn } from './workspaces.ts'

/** The state that everything which starts, watches and ends processes shares. One a controller. */
export interface Fleet {
  readonly context: AgentsContext
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
  /** Has the supervisor look after an agent soon. */
  look: (agentUid: string) => void
}

export function makeFleet(
  context: AgentsContext,
  processes: ProcessTable,
  calls: { readonly changed: (key: string) => void; readonly look: (agentUid: string) => void },
): Fleet {
  return {
    context,
    workspaces: workspacesIn(context.dataDir),
    trees: new Trees(context.dataDir, context.writeTree),
    notifier: new TaskNotifier(),
    processes,
    targets: new Map(),
    starting: new Set(),
    serial: new KeyedSerial(),
    placing: new KeyedSerial(),
    supervising: false,
    closing: false,
    observedSince: context.store.clock.now().getTime(),
    changed: ({ namespace, agent }) => calls.changed(agentKey({ namespace, name: agent })),
    look: calls.look,
  }
}

/** The agent of that name that is wanted now. */
export function targetNamed(fleet: Fleet, namespace: string, name: string): AgentTarget | null {
  for (const target of fleet.targets.values()) if (target.namespace === namespace && target.name === name) return target
  return null
}
