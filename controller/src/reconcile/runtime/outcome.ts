import type { Reason } from '../../kinds/conditions.ts'

/** What a phase, and in the end a reconcile, came to. Anything thrown is transient and backs off. */
export type Outcome =
  /** As declared; look again after `again` milliseconds (default: the resync interval). */
  | { readonly kind: 'done'; readonly again?: number }
  /** Something else has to happen first; not an error. */
  | { readonly kind: 'waiting'; readonly reason: Reason; readonly message: string; readonly after: number }
  /** Only a change of the declaration helps. */
  | { readonly kind: 'stalled'; readonly reason: Reason; readonly message: string }
  /** A newer revision arrived meanwhile. */
  | { readonly kind: 'superseded' }

export const done: Outcome = { kind: 'done' }
