import type { Executor, Tx } from '../database.ts'

export const APPROVAL_SOURCES = ['api', 'cli', 'forge', 'commit', 'merge'] as const
export type ApprovalSource = (typeof APPROVAL_SOURCES)[number]

/** Somebody's word about one change of one object. */
export interface ChangeApprovalRow {
  readonly id: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** null = the object is created. */
  readonly from_digest: string | null
  /** null = it is deleted. */
  readonly to_digest: string | null
  readonly decision: 'approve' | 'reject'
  readonly actor: string
  /** What the credential it was said with stood for. */
  readonly roles: readonly string[]
  readonly source: ApprovalSource
  readonly proposal: string | null
  /** The commit that says so, or the one that was decided about. */
  readonly revision: string | null
  readonly reason: string | null
  readonly correlation_id: string
  readonly decided_at: Date
}

/** Answers with those that were new: what a commit says is written once. */
export async function insertChangeApprovals(
  tx: Tx,
  rows: readonly ChangeApprovalRow[],
): Promise<readonly ChangeApprovalRow[]> {
  if (rows.length === 0) return []
  const written = await tx<{ id: string }[]>`
    INSERT INTO change_approvals ${tx(rows.map((row) => ({ ...row, roles: [...row.roles] })))}
    ON CONFLICT DO NOTHING RETURNING id`
  const ids = new Set(written.map(({ id }) => id))
  return rows.filter(({ id }) => ids.has(id))
}

/** Everything that was said about changes of these objects, in the order it was said. */
export async function changeApprovalsOf(
  sql: Executor,
  objects: readonly { readonly kind: string; readonly namespace: string; readonly name: string }[],
): Promise<ChangeApprovalRow[]> {
  if (objects.length === 0) return []
  return sql<ChangeApprovalRow[]>`
    SELECT a.id, a.kind, a.namespace, a.name, a.from_digest, a.to_digest, a.decision, a.actor, a.roles, a.source, a.proposal,
           a.revision, a.reason, a.correlation_id, a.decided_at
    FROM change_approvals a
    JOIN unnest(${objects.map(({ kind }) => kind)}::text[], ${objects.map(({ namespace }) => namespace)}::text[],
                ${objects.map(({ name }) => name)}::text[]) AS o (kind, namespace, name) USING (kind, namespace, name)
    ORDER BY a.decided_at, a.id`
}
