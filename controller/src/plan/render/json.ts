import type { Json, JsonObject } from '../../lib/json.ts'
import type { ChangeSet } from '../change-set.ts'
import type { PlannedEffects } from '../effects/effects-of.ts'
import { reachOf } from '../effects/reach.ts'
import { NO_OUTLOOK, type Outlook } from '../outlook/outlook.ts'

/**
 * A ChangeSet and what it does, as scripts read it and as it is kept with a proposal. `observed` names what "before" was read
 * from; null = nothing was observed.
 */
export function planDocument(
  plan: ChangeSet & PlannedEffects & { readonly outlook?: Outlook },
  observed: string | null,
): JsonObject {
  const {
    fromRevision,
    toRevision,
    counts,
    changes,
    risk,
    effects,
    issues,
    ignored,
    digest,
    outlook = NO_OUTLOOK,
  } = plan
  const reach = reachOf(plan, effects)
  const shown = {
    fromRevision,
    toRevision,
    observed,
    counts,
    changes,
    risk,
    effects,
    reach,
    outlook,
    issues,
    ignored,
    digest,
  }
  // A plain copy: what is undefined in a record is not there in JSON.
  return JSON.parse(JSON.stringify(shown)) as Record<string, Json>
}
