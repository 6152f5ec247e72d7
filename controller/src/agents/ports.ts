import type { JsonObject } from '../lib/json.ts'
import type { AgentTarget } from './agent-target.ts'
import type { Hindrance } from './observation.ts'

/** What the agents need from elsewhere; `build` plugs it in. */

/** What an instance is told before it gets tasks. */
export interface Told {
  /** What it has not answered yet, in the order of issue. */
  readonly all: readonly JsonObject[]
  /** How many of these it hears for the first time. */
  readonly fresh: number
}

export interface InterventionSource {
  /** What to tell a living instance now; it counts as told. Writes only what is new. */
  tell(instance: { readonly id: string; readonly agent_uid: string }): Promise<Told>
}

/** Writes the files of a tree of the state repo into an existing empty folder. */
export type TreeWriter = (tree: string, folder: string) => Promise<void>

/** Tells the run engine that something came to a run's inbox; called after the commit. */
export type RunNudge = (runId: string) => void

/**
 * Decides which host each replica of an agent runs on and keeps that for them: the replicas of this host. Told that the agent
 * is gone, it forgets it.
 */
export interface Placements {
  place(target: AgentTarget): Promise<readonly number[]>
  /** What stands against replicas that are not on this host. */
  hindrance(agentUid: string): Promise<Hindrance>
  forget(agentUid: string): Promise<void>
}

/** The host this process starts processes on. */
export interface LocalHost {
  readonly name: string
  /** `capacity.agentSlots`. */
  readonly slots: number
}
