import type { Store } from '../store/store.ts'

/** What the work graph needs from elsewhere; `build` plugs it in. */
export interface WorkDeps {
  readonly store: Store
  /** Agents of a namespace that are declared, are not suspended, and have all of these capabilities. */
  readonly agentsWith: (namespace: string, capabilities: readonly string[]) => readonly string[]
  readonly hasAgent: (namespace: string, name: string) => boolean
  readonly hasProject: (namespace: string, name: string) => boolean
}

/** Who acts, and the id that ties together what follows. */
export interface Caller {
  readonly actor: string
  readonly correlationId: string
  /** Set for an instance of an agent, which may touch only what is its own, in its namespace. */
  readonly agent: { readonly namespace: string; readonly name: string } | null
}
