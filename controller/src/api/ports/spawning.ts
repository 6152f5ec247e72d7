import type { JsonObject } from '../../lib/json.ts'
import type { SpawnedAgentRow } from '../../store/queries/spawned-agents.ts'
import type { Caller } from '../caller.ts'

export interface SpawnRequest {
  readonly namespace: string
  /** What it is an instance of. */
  readonly of: { readonly kind: 'AgentTemplate' | 'Agent'; readonly name: string }
  readonly lifetime: 'longLived' | 'ephemeral'
  /** null = wherever there is room. */
  readonly host: string | null
  readonly parent: string | null
  readonly budgetNanoUsd: number | null
  /** UTC, ISO 8601. */
  readonly deadline: string | null
  readonly reason: string | null
  readonly task: {
    readonly prompt: string
    readonly inputs: JsonObject
    readonly outputSchema: JsonObject | null
    readonly expectedRows: number | null
  } | null
}

/** Agents that are spawned while the fleet runs. */
export interface SpawnVerbs {
  /**
   * SW_VALIDATION_FAILED: its terms. SW_NOT_FOUND: template, parent or host. SW_HOST_FULL: no host has room.
   * SW_FORBIDDEN: an agent (`self`) spawns ephemeral agents that are its own, and not deeper than lineages may be.
   */
  spawn(request: SpawnRequest, self: string | null, caller: Caller): Promise<SpawnedAgentRow>
  /** Ending what has ended is no error. SW_NOT_FOUND; SW_FORBIDDEN when it is not this agent's (`self`). */
  end(uid: string, self: string | null, caller: Caller): Promise<SpawnedAgentRow>
}
