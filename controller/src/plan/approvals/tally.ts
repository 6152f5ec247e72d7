import { type Approver, isHuman, type Lineage, mayApprove } from './may-approve.ts'
import type { ApprovalRequirement } from './requirement.ts'

/** Somebody's word about one change of one object. */
export interface ChangeDecision extends Approver {
  readonly decision: 'approve' | 'reject'
  readonly fromDigest: string | null
  readonly toDigest: string | null
  readonly source: string
  readonly at: string
}

export interface Tally {
  readonly approved: boolean
  /** Those whose approval counted, in the order of their decisions. */
  readonly approvers: readonly string[]
  /** Who is against it; null when nobody is. */
  readonly rejectedBy: string | null
  /** Requirements that are not met, with what each has. */
  readonly missing: readonly { readonly requirement: ApprovalRequirement; readonly have: number }[]
  readonly needsHuman: boolean
  /** Approvals that do not count, and why. */
  readonly ignored: readonly { readonly principal: string; readonly why: string }[]
}

/**
 * Whether a change from one digest to another was agreed to. The last word of each counts; words about another change of
 * the object are stale. Every requirement is met by different people of its set; at least one of all who count is a human.
 */
export function tally(
  change: { readonly fromDigest: string | null; readonly toDigest: string | null },
  decisions: readonly ChangeDecision[],
  requirements: readonly ApprovalRequirement[],
  lineage: Lineage,
): Tally {
  const words = lastWords(
    decisions.filter(({ fromDigest, toDigest }) => fromDigest === change.fromDigest && toDigest === change.toDigest),
  )
  const counted = new Set<string>()
  const ignored = new Map<string, string>()
  const missing: { requirement: ApprovalRequirement; have: number }[] = []
  let rejectedBy: string | null = null
  for (const word of words) {
    const rulings = requirements.map((each) => mayApprove(word, { ...each, purpose: 'change' }, lineage))
    const why = rulings.find((ruling) => !ruling.allowed)
    const counts = rulings.some(({ allowed }) => allowed)
    if (word.decision === 'reject') {
      if (counts) rejectedBy ??= word.principal
    } else if (counts) counted.add(word.principal)
    else if (why !== undefined && !why.allowed) ignored.set(word.principal, why.why)
  }
  for (const requirement of requirements) {
    const have = words.filter(
      (word) => word.decision === 'approve' && mayApprove(word, { ...requirement, purpose: 'change' }, lineage).allowed,
    ).length
    if (have < requirement.min) missing.push({ requirement, have })
  }
  const needsHuman = requirements.length > 0 && ![...counted].some(isHuman)
  return {
    approved: rejectedBy === null && missing.length === 0 && !needsHuman,
    approvers: [...counted],
    rejectedBy,
    missing,
    needsHuman,
    ignored: [...ignored].map(([principal, why]) => ({ principal, why })),
  }
}

function lastWords(decisions: readonly ChangeDecision[]): ChangeDecision[] {
  const last = new Map<string, ChangeDecision>()
  for (const decision of [...decisions].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))) {
    last.delete(decision.principal)
    last.set(decision.principal, decision)
  }
  return [...last.values()]
}
