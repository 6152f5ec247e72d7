import type { Json, JsonObject } from '../../lib/json.ts'
import type { Executor, Tx } from '../database.ts'

export type DraftKind = 'blueprint' | 'pack'

export interface NewDraft {
  readonly draft_id: string
  readonly proposal_id: string
  readonly namespace: string
  readonly name: string
  /** What is promoted: the id of a flat blueprint, else `<name>` or `<namespace>.<name>`. */
  readonly item: string
  readonly kind: DraftKind
  readonly content: JsonObject
  readonly trigger_event_type: string | null
  readonly notes: string
  readonly run_id: string | null
  /** Of its file, from the root of the repository. Null = saved before revisions were counted. */
  readonly path: string | null
  /** What it is going to be when it is promoted. */
  readonly version: number
  readonly created_by: string
  readonly created_at: Date
  readonly saved_at: Date
}

export interface DraftRevision {
  readonly draft_id: string
  readonly revision: number
  readonly commit: string
  readonly artifact_id: string | null
  readonly notes: string
  readonly saved_by: string
  readonly saved_at: Date
}

/** One thing that is wrong with a draft. */
export interface DraftIssue {
  /** The check that found it. */
  readonly check: string
  readonly code: string
  readonly message: string
  readonly hint: string
  readonly file: string | null
  readonly line: number | null
  readonly column: number | null
}

export interface DraftReport {
  readonly draft_id: string
  readonly revision: number
  /** The commit that was looked at, and the head of the protected branch (null = it could not be checked against one). */
  readonly head: string
  readonly onto: string | null
  readonly is_valid: boolean
  readonly issues: readonly DraftIssue[]
  readonly artifact_id: string | null
  readonly checked_by: string
  readonly checked_at: Date
}

/** With how far its proposal is. What was rejected, replaced or forgotten is no draft any more. */
export interface DraftRow extends NewDraft {
  readonly revision: number
  readonly status: 'draft' | 'validated' | 'promoted'
  /** Of its branch. */
  readonly branch: string
  readonly head: string
  /** Where it came onto the protected branch; null = it did not. */
  readonly landed: string | null
  readonly closed_by: string | null
  readonly correlation_id: string
  /** In Git, once it is promoted. */
  readonly tag: string | null
  readonly promoted_at: Date | null
  readonly updated_at: Date
  /** Of its revision. */
  readonly report: Pick<DraftReport, 'is_valid' | 'issues' | 'artifact_id' | 'head'> | null
}

export async function insertDraft(tx: Tx, { content, ...draft }: NewDraft): Promise<void> {
  await tx`INSERT INTO drafts ${tx({ ...draft, content: tx.json(content) } as never)}`
}

export async function insertDraftRevision(tx: Tx, revision: DraftRevision): Promise<void> {
  await tx`INSERT INTO draft_revisions ${tx({ ...revision } as never)}`
}

/** What a later revision says instead. */
export async function reviseDraft(
  tx: Tx,
  {
    content,
    draft_id,
    ...row
  }: Pick<NewDraft, 'draft_id' | 'content' | 'item' | 'trigger_event_type' | 'notes'> &
    Pick<NewDraft, 'run_id' | 'path' | 'version' | 'saved_at'> & { readonly revision: number },
): Promise<void> {
  await tx`UPDATE drafts SET ${tx({ ...row, content: tx.json(content) } as never)} WHERE draft_id = ${draft_id}`
}

/** A later report of the same revision takes the place of an earlier one. */
export async function saveDraftReport(tx: Tx, { issues, ...report }: DraftReport): Promise<void> {
  const row = { ...report, issues: tx.json(issues as unknown as Json as JsonObject) }
  await tx`
    INSERT INTO draft_reports ${tx(row as never)}
    ON CONFLICT (draft_id, revision) DO UPDATE SET
      head = EXCLUDED.head, onto = EXCLUDED.onto, is_valid = EXCLUDED.is_valid, issues = EXCLUDED.issues,
      artifact_id = EXCLUDED.artifact_id, checked_by = EXCLUDED.checked_by, checked_at = EXCLUDED.checked_at`
}

/** False when somebody else did it. */
export async function promoteDraft(
  tx: Tx,
  id: string,
  to: { readonly version: number; readonly tag: string; readonly at: Date },
): Promise<boolean> {
  const { count } = await tx`
    UPDATE drafts SET version = ${to.version}, tag = ${to.tag}, promoted_at = ${to.at}
    WHERE draft_id = ${id} AND promoted_at IS NULL`
  return count === 1
}

function found(sql: Executor) {
  return sql`
    SELECT d.*, p.branch, p.head, p.landed, p.closed_by, p.correlation_id,
           greatest(d.saved_at, p.updated_at) AS updated_at,
           CASE WHEN r.draft_id IS NULL THEN NULL
                ELSE jsonb_build_object('is_valid', r.is_valid, 'issues', r.issues, 'artifact_id', r.artifact_id, 'head', r.head)
                END AS report,
           CASE WHEN p.state = 'merged' THEN 'promoted' WHEN r.is_valid AND r.head = p.head THEN 'validated' ELSE 'draft' END AS status
    FROM drafts d JOIN proposals p ON p.proposal_id = d.proposal_id
         LEFT JOIN draft_reports r ON r.draft_id = d.draft_id AND r.revision = d.revision
    WHERE p.state IN ('open', 'merged')`
}

/** Of one who made them, or (null) of everybody. */
export async function draftById(sql: Executor, id: string, by: string | null): Promise<DraftRow | null> {
  const [row] = await sql<DraftRow[]>`
    ${found(sql)} AND d.draft_id = ${id} AND (${by}::text IS NULL OR d.created_by = ${by})`
  return row ?? null
}

/** The one that this author saves again by saving the same thing again. */
export async function openDraftOf(
  sql: Executor,
  of: Pick<NewDraft, 'namespace' | 'kind' | 'name' | 'created_by'>,
): Promise<DraftRow | null> {
  const [row] = await sql<DraftRow[]>`
    ${found(sql)} AND p.state = 'open' AND d.namespace = ${of.namespace} AND d.kind = ${of.kind} AND d.name = ${of.name}
      AND d.created_by = ${of.created_by}
    ORDER BY d.created_at DESC, d.draft_id DESC LIMIT 1`
  return row ?? null
}

/** Merged, and not promoted yet. */
export async function landedDrafts(sql: Executor): Promise<DraftRow[]> {
  return sql<DraftRow[]>`${found(sql)} AND d.promoted_at IS NULL AND p.state = 'merged' ORDER BY d.created_at`
}

/** The newest first. */
export async function pageDrafts(
  sql: Executor,
  page: {
    readonly kind: DraftKind | null
    readonly by: string | null
    readonly after: { readonly createdAt: Date; readonly id: string } | null
    readonly limit: number
  },
): Promise<DraftRow[]> {
  return sql<DraftRow[]>`
    ${found(sql)} AND (${page.by}::text IS NULL OR d.created_by = ${page.by})
      AND (${page.kind}::text IS NULL OR d.kind = ${page.kind})
      ${page.after === null ? sql`` : sql`AND (d.created_at, d.draft_id) < (${page.after.createdAt}, ${page.after.id}::uuid)`}
    ORDER BY d.created_at DESC, d.draft_id DESC LIMIT ${page.limit}`
}
