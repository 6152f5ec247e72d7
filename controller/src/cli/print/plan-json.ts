import type { Plan } from '../../plan/planned.ts'

/** A ChangeSet as scripts read it. */
export function planJson(plan: Plan, observed: string | null): string {
  const { fromRevision, toRevision, counts, changes, issues, ignored, digest } = plan
  return `${JSON.stringify({ fromRevision, toRevision, observed, counts, changes, issues, ignored, digest }, null, 2)}\n`
}
