import type { JsonObject } from '../lib/json.ts'

/** What interventions need from elsewhere; `build` plugs it in. */

/** An agent somebody intervenes with. */
export interface InterventionTarget {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** As Git declares it. */
  readonly spec: JsonObject
  /** Constraints in force, whoever set them. */
  readonly constraints: JsonObject
}

/** Sets or (undefined) removes one field of the spec. */
export interface SpecEdit {
  readonly field: string
  readonly value: boolean | number | string | JsonObject | undefined
}

/** Says in a commit what an intervention does at once. All null where the source takes none. */
export type ProposeEdits = (
  agent: { readonly namespace: string; readonly name: string },
  proposal: {
    readonly verb: string
    readonly edits: readonly SpecEdit[]
    readonly interventionId: string
    readonly reason: string
    readonly expiresAt: Date | null
    readonly actor: string
    readonly correlationId: string
    readonly merge: boolean
  },
) => Promise<{ readonly branch: string | null; readonly commit: string | null }>

/** Who acts, and the id that ties together what follows. */
export interface Caller {
  readonly actor: string
  readonly correlationId: string
}
