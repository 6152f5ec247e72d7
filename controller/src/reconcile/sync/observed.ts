import type { ObjectKey } from '../../kinds/resource.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { DesiredState } from '../../plan/desired-state.ts'

/** What was last seen of the objects of a state: by a controller that runs, or on the status branch of a clone. */
export interface Observed {
  /** Statuses with `effectiveDigest`, of those of these objects that anything is known of. */
  statuses(keys: Iterable<ObjectKey>): Promise<ReadonlyMap<ObjectKey, JsonObject>>
  /** Objects that may be applied otherwise than this state declares them: they wait for a word, or it was not applied yet. */
  unsettled(declared: DesiredState): Promise<Iterable<ObjectKey>>
}
