import type { EventName } from '../events/catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { Identities } from '../plan/approvals/identities.ts'
import type { ChangeDecision } from '../plan/approvals/tally.ts'
import type { Change } from '../plan/change-set.ts'
import type { NewEvent } from '../store/ports.ts'
import type { ChangeApprovalRow } from '../store/queries/change-approvals.ts'

/** A stored word with what its speaker stands for today; what its credential stood for then is kept with it. */
export function decisionOf(row: ChangeApprovalRow, identities: Identities): ChangeDecision {
  return {
    ...identities.standing(row.actor, row.roles),
    decision: row.decision,
    fromDigest: row.from_digest,
    toDigest: row.to_digest,
    source: row.source,
    at: row.decided_at.toISOString(),
  }
}

/** The row of a word about one change. */
export function rowOf(
  change: Pick<Change, 'kind' | 'namespace' | 'name' | 'fromDigest' | 'toDigest'>,
  word: Omit<ChangeApprovalRow, 'id' | 'kind' | 'namespace' | 'name' | 'from_digest' | 'to_digest'>,
): ChangeApprovalRow {
  const { kind, namespace, name, fromDigest, toDigest } = change
  return {
    id: uuidv7(word.decided_at.getTime()),
    ...{ kind, namespace, name, from_digest: fromDigest, to_digest: toDigest },
    ...word,
  }
}

export function decisionEvents(rows: readonly ChangeApprovalRow[]): NewEvent[] {
  return rows.map(({ kind, namespace, name, from_digest: from, to_digest: to, ...row }) => ({
    event_id: uuidv7(row.decided_at.getTime()),
    event_name: (row.decision === 'approve'
      ? 'stateward.change.approved'
      : 'stateward.change.rejected') satisfies EventName,
    occurred_at: row.decided_at,
    env_id: namespace === '' ? 'default' : namespace,
    actor: row.actor,
    correlation_id: row.correlation_id,
    data: {
      ...{ kind, namespace, name, from, to },
      ...{ source: row.source, proposal: row.proposal, revision: row.revision, reason: row.reason },
    },
  }))
}
