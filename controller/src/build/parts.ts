import type { Agents } from '../agents/agents.ts'
import type { GitServer } from '../api/ports/git.ts'
import type { Gateway } from '../models/gateway.ts'
import type { ModelAgents } from '../models/loop/model-agents.ts'
import type { AlwaysLoaded } from '../models/servers/always-loaded.ts'
import type { LocalServers } from '../models/servers/local-servers.ts'
import type { Controller } from '../reconcile/controller.ts'
import type { Accepted } from '../reconcile/sync/accept.ts'
import type { SourceSync } from '../reconcile/sync/source-sync.ts'
import type { RunEngine } from '../runs/engine/engine.ts'
import type { Schedules } from '../runs/schedules/schedules.ts'
import type { LeaderVerbs } from './leader-verbs.ts'
import type { OpenSource } from './source.ts'

/** What a process has of its roles. Parts come and go: a standby becomes the leader, and a part stops before others do. */
export interface Parts {
  /** With the role `worker`. */
  engine: RunEngine | null
  /** Supervises while the process leads; else it only answers agents that report here. */
  agents: Agents | null
  /** The way to models. */
  gateway: Gateway | null
  /** With the role `worker`: agents that are models. */
  modelAgents: ModelAgents | null
  /** Programs of this machine that serve models. */
  modelServers: LocalServers | null
  alwaysLoaded: AlwaysLoaded | null
  /** While this process leads. */
  leader: Leader | null
}

/** What only the process that leads does. */
export interface Leader {
  readonly source: OpenSource
  readonly sync: SourceSync
  readonly controller: Controller
  readonly schedules: Schedules
  readonly verbs: LeaderVerbs
  readonly git: GitServer
  /** Everything is where it was left, and the head was looked at. */
  hasStarted(): boolean
  /** Why no instance begins on this machine yet; null = they may. */
  holdsUp(): string | null
  /** The first revision was accepted, now or before. */
  isReady(): boolean
  /**
   * Accepts the head and brings every object to it. Resolves with what the first pass accepted: when all of them were looked
   * at, or after 30 seconds of that, or when it is to end; the rest goes on.
   */
  start(ending: AbortSignal): Promise<Accepted | null>
  /** Begins to start runs and to answer other processes. */
  open(): void
  /** The fleet was halted, or goes on: every agent is looked at. */
  fleetChanged(): void
  /** Starts nothing new: triggers, schedules, what others ask, tidying up. */
  close(): Promise<void>
  /** The loop, the last status, the source. */
  stop(): Promise<void>
}
