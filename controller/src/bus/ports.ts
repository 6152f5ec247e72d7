import type { JsonObject } from '../lib/json.ts'

/** An agent as messages name it. */
export interface Addressee {
  readonly namespace: string
  readonly name: string
}

/** Whom messages reach, as the fleet is declared at this moment. */
export interface Addressees {
  /** An agent by its name, `agentId` or uid; null = there is none. */
  find(namespace: string, reference: string): Addressee | null
  /** Names of the agents that hold a role, in order. */
  holding(namespace: string, role: string): readonly string[]
  /** Names of the agents that follow a topic, in order. */
  following(namespace: string, topic: string): readonly string[]
  /** The roles of an agent. */
  rolesOf(agent: Addressee): readonly string[]
}

/** A message of an event stream that is not in the log: it carries no number. */
export interface Frame {
  /** Name of the event as the stream says it: `intervention`. */
  readonly event: string
  readonly data: JsonObject
}

/** What an agent is told before anything else, in order, as often as it asks: interventions that it has not acknowledged. */
export type PendingFor = (agent: Addressee & { readonly instanceId: string | null }) => Promise<readonly Frame[]>

/** Who does it, and the id that ties everything that follows together. */
export interface Caller {
  readonly actor: string
  readonly correlationId: string
}
