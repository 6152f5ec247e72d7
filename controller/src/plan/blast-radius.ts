import { type ObjectKey, refOf } from '../kinds/resource.ts'
import { digestOf } from '../lib/digest.ts'

export interface DeletionLimit {
  /** Deletions of a kind are stopped when they are more than this share of its objects … */
  readonly percent: number
  /** … and more than this many. */
  readonly count: number
}

export const DEFAULT_DELETION_LIMIT: DeletionLimit = { percent: 20, count: 5 }

export interface BlastRadius {
  /** Deletions that are stopped until somebody lets exactly this set through. */
  readonly blocked: ReadonlySet<ObjectKey>
  /** Digest of the blocked set; null when nothing is blocked. */
  readonly digest: string | null
  readonly message: string
}

/** What is already gone counts too, so that splitting a deletion over several commits does not help. */
export interface DeletionHistory {
  /** Kind → objects deleted since the last approved deletion within the window. */
  readonly recent: ReadonlyMap<string, number>
  /** Digests of sets that were approved for this revision. */
  readonly approved: ReadonlySet<string>
}

/** Which of the wanted deletions exceed the limit of their kind. */
export function blastRadius(
  deletions: readonly ObjectKey[],
  objectsOfKind: (kind: string) => number,
  limit: DeletionLimit,
  history: DeletionHistory,
): BlastRadius {
  const byKind = Map.groupBy(deletions, (key) => refOf(key).kind)
  const blocked = new Set<ObjectKey>()
  const reasons: string[] = []
  for (const [kind, keys] of byKind) {
    const recent = history.recent.get(kind) ?? 0
    const gone = keys.length + recent
    const before = objectsOfKind(kind) + recent
    if (gone <= limit.count || gone * 100 <= limit.percent * before) continue
    for (const key of keys) blocked.add(key)
    reasons.push(`${gone} of ${before} objects of kind ${kind}`)
  }
  if (blocked.size === 0) return { blocked, digest: null, message: '' }
  const digest = digestOf([...blocked].sort())
  if (history.approved.has(digest) || history.approved.has(`count:${blocked.size}`))
    return { blocked: new Set(), digest: null, message: '' }
  return {
    blocked,
    digest,
    message: `deletes ${reasons.join(' and ')}, more than ${limit.percent} % and more than ${limit.count}`,
  }
}
