import type { SecretReader } from '../kinds/secret-ref.ts'
import type { KubeClient } from '../kube-client/kube-client.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../store/ports.ts'
import type { Store } from '../store/store.ts'
import type { InterventionSource, LocalHost, Placements, RunNudge, TreeWriter } from './ports.ts'
import type { InheritedEnvironment } from './runtimes/process/environment.ts'

/** What supervising the agents of one machine works with; it needs no database. */
export interface HostContext {
  readonly clock: Clock
  readonly log: Log
  /** The data directory, absolute: `instances/`, `workspaces/`, `trees/` and `shared/` are below it. */
  readonly dataDir: string
  /** Where agents find the API: `STATEWARD_URL`. */
  readonly url: () => string
  readonly inherited: InheritedEnvironment
  /** The folder of the Node that agents get first on PATH: that of `process.execPath`. */
  readonly nodeFolder: string
  /** Read each time: the host's capacity may change. */
  readonly localHost: () => LocalHost
  readonly secrets: SecretReader
  readonly writeTree: TreeWriter
  /** Where bulk work on this machine finds the database; null = nobody said, or this is no host of the database. */
  readonly databaseUrl: () => string | null
  readonly settings: AgentSettings
}

/** What a process next to the database works with; made once by `build`. */
export interface AgentsContext extends HostContext {
  readonly store: Store
  readonly nudgeRun: RunNudge
  readonly interventions: InterventionSource
  readonly placements: Placements
  /** Where agents run as pods; null = nowhere. */
  readonly pods: PodsContext | null
  /** Whether a host is labelled as one of the database: bulk work goes nowhere else. */
  readonly isDatabaseHost: (host: string) => Promise<boolean>
}

export interface PodsContext {
  /** The namespace of the cluster. */
  readonly namespace: string
  /** Where pods find the API. */
  readonly url: string
  /** An image with sh and git, which brings pods the files of their workdir; null = none was set. */
  readonly filesImage: string | null
  readonly connect: () => Promise<KubeClient>
}

export interface AgentSettings {
  /** How often adopted processes, leases and queues are looked at. */
  readonly tickMs: number
  /** A daemon that takes a task and does not name it in its heartbeats for this long loses it; used for agents of which nothing else is known. */
  readonly leaseMs: number
  /** How often a task is given out before it fails. */
  readonly maxAttempts: number
  /** Logs are cut to their end beyond this. */
  readonly maxLogBytes: number
  /** What a command may print as its result. */
  readonly maxOutputBytes: number
  /** Between TERM and KILL of a command that ran out of time. */
  readonly killAfterMs: number
  /** Logs of ended instances stay this long. */
  readonly keepLogsMs: number
  /** Trees that no agent uses stay this long. */
  readonly keepTreesMs: number
  /** An agent that cannot be started is looked at again this often, whatever else happens. */
  readonly retryMs: number
  /** How often reports that are missing are looked for. */
  readonly healthMs: number
}

export const DEFAULT_SETTINGS: AgentSettings = {
  tickMs: 1000,
  leaseMs: 90_000,
  maxAttempts: 3,
  maxLogBytes: 50 * 1024 * 1024,
  maxOutputBytes: 1024 * 1024,
  killAfterMs: 10_000,
  keepLogsMs: 7 * 86_400_000,
  keepTreesMs: 86_400_000,
  retryMs: 5_000,
  healthMs: 5_000,
}
