import { writersOf } from '../approvals/change-origin.ts'
import type { LandedApproval } from '../approvals/landed-approval.ts'
import type { ApprovalSpec } from '../kinds/approval/approval.schema.ts'
import { keyOf, type ObjectKey, type Resource } from '../kinds/resource.ts'
import type { Change } from '../plan/change-set.ts'
import { targetKey } from '../plan/desired-state.ts'
import type { PlannedAt } from '../reconcile/sync/change-governor.ts'
import { inFolder, type OriginDeps } from './change-origins.ts'

/** A document's word about one change, with the commit that says so. */
export type DocumentWord = LandedApproval & { readonly decision: 'approve' | 'reject'; readonly reason: string | null }

/**
 * What Approval documents of the wanted state say about exactly these changes: the word of whoever signed the commit that wrote
 * the document. A document that nobody known signed says nothing, nor one of several writers; where committers are believed
 * as they say (`approvals.merges: any`), so are those of documents.
 */
export async function approvalDocuments(
  deps: OriginDeps,
  changes: readonly Change[],
  at: PlannedAt,
): Promise<ReadonlyMap<ObjectKey, readonly DocumentWord[]>> {
  const found = new Map<ObjectKey, DocumentWord[]>()
  const asked = new Map(changes.map((change) => [keyOf(change), change]))
  for (const key of at.desired.keys()) {
    if (!key.startsWith('Approval/')) continue
    for (const { resource } of at.desired.all(key)) {
      const about = changeNamedBy(resource)
      const change = about === null ? undefined : asked.get(about.key)
      if (about === null || change === undefined) continue
      if (about.from !== change.fromDigest || about.to !== change.toDigest) continue
      const speaker = await writerOf(deps, resource.origin.file, at.commit)
      const { decision, reason = null } = resource.spec as unknown as ApprovalSpec
      if (speaker === null || (decision !== 'approve' && decision !== 'reject')) continue
      const words = found.get(about.key) ?? []
      found.set(about.key, [...words, { ...speaker, decision, reason }])
    }
  }
  return found
}

interface NamedChange {
  readonly key: ObjectKey
  readonly from: string | null
  readonly to: string | null
}

/** Null for a document that decides a gate. */
function changeNamedBy({ namespace, spec }: Resource): NamedChange | null {
  const { change } = spec as unknown as ApprovalSpec
  if (change === undefined) return null
  const { kind, name, namespace: own = namespace, from = null, to = null } = change
  return { key: targetKey(kind, own, name), from, to }
}

async function writerOf(deps: OriginDeps, file: string, head: string): Promise<LandedApproval | null> {
  const { repository, merges, people } = deps
  const writers = await writersOf(repository, inFolder(deps.path, file), head)
  const who = new Set<string | null>()
  for (const { oid, committer } of writers)
    who.add((await deps.signer(oid)) ?? (merges === 'any' ? people.identities().ofPerson(committer) : null))
  const [principal] = who
  const [newest] = writers
  if (who.size !== 1 || principal === null || principal === undefined || newest === undefined) return null
  return { principal, source: 'commit', commit: newest }
}
