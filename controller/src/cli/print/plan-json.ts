import { planDocument } from '../../plan/render/json.ts'
import type { PlanWithEffects } from '../../reconcile/sync/plan-revisions.ts'

/** A ChangeSet and what it does, as scripts read it. */
export function planJson(plan: PlanWithEffects, observed: string | null): string {
  return `${JSON.stringify(planDocument(plan, observed), null, 2)}\n`
}
