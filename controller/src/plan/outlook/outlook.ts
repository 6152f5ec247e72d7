import { keyOf, type ObjectKey } from '../../kinds/resource.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { ActualState } from '../actual-state.ts'
import type { Change } from '../change-set.ts'
import type { Effect } from '../effects/effect.ts'
import type { Moved, SpecOf } from './moved.ts'
import { overtakes, type SupersededRuns, supersededBy } from './open-runs.ts'
import { type SpendForecast, spendAfter } from './spend.ts'

/**
 * What comes of a change, as far as the last observed state tells: runs under way that it overtakes, and what is spent a month.
 * It moves with time, so it stands beside the digest of a plan and never in it.
 */
export interface Outlook {
  readonly runs: readonly SupersededRuns[]
  readonly spend: readonly SpendForecast[]
  /** Why nothing can be said, in words for people; null = there was something to read it from, or nothing to ask. */
  readonly unknown: string | null
}

export const NO_OUTLOOK: Outlook = { runs: [], spend: [], unknown: null }

export interface OutlookInput {
  readonly changes: readonly Change[]
  readonly effects: readonly Effect[]
  /** What is applied: its own specs, not merged. */
  readonly actual: ActualState
  readonly specOf: SpecOf
  /** Statuses as last observed; null = nothing was observed. */
  readonly observed: ReadonlyMap<ObjectKey, JsonObject> | null
}

/** Kinds whose changes overtake runs or cost something. */
const ASKED = new Set(['Agent', 'Blueprint', 'Budget'])

/** Pure. What is held back is told, too: it is what would come of it. */
export function outlookOf(input: OutlookInput): Outlook {
  const moved = input.changes.flatMap((change): Moved[] => {
    const action = change.held ?? change.action
    if (!ASKED.has(change.kind) || (action !== 'create' && action !== 'update' && action !== 'delete')) return []
    const key = keyOf(change)
    const { kind, namespace, name } = change
    const before = action === 'create' ? null : input.specOf('before', key)
    const after = action === 'delete' ? null : input.specOf('after', key)
    return before === null && after === null ? [] : [{ kind, namespace, name, key, before, after }]
  })
  if (input.observed !== null) {
    const runs = supersededBy(moved, input.effects, input.actual, input.observed)
    return { runs, spend: spendAfter(moved, input.actual, input.observed, input.specOf), unknown: null }
  }
  // What does not run yet has cost nothing, wherever one looks.
  const [there, fresh] = [moved.filter(({ before }) => before !== null), moved.filter(({ before }) => before === null)]
  const asks =
    spendAfter(there, input.actual, NOTHING, input.specOf).length > 0 ||
    there.some((one) => overtakes(one, input.effects))
  return { runs: [], spend: spendAfter(fresh, input.actual, NOTHING, input.specOf), unknown: asks ? UNOBSERVED : null }
}

const NOTHING: ReadonlyMap<ObjectKey, JsonObject> = new Map()
const UNOBSERVED =
  'Open runs and spending are not known: no status was observed (git fetch origin stateward/status:refs/remotes/origin/stateward/status)'
