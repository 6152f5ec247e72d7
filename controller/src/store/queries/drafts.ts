import type { JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

export type DraftKind = 'blueprint' | 'pack'

export interface NewDraft {
  readonly draft_id: string
  readonly proposal_id: string
  readonly namespace: string
  readonly name: string
  readonly kind: DraftKind
  readonly content: JsonObject
  readonly created_by: string
  readonly created_at: Date
}

/** With how far its proposal is. What was rejected, replaced or forgotten is no draft any more. */
export interface DraftRow extends NewDraft {
  readonly status: 'draft' | 'validated' | 'promoted'
  readonly updated_at: Date
}

export async function insertDraft(tx: Executor, { content, ...draft }: NewDraft): Promise<void> {
  await tx`INSERT INTO drafts ${tx({ ...draft, content: tx.json(content) } as never)}`
}

function found(sql: Executor) {
  return sql`
    SELECT d.*, p.updated_at,
           CASE WHEN p.state = 'merged' THEN 'promoted'
                WHEN p.onto IS NOT NULL AND p.check_error IS NULL
                  AND NOT jsonb_path_exists(p.checks, '$[*] ? (@.state == "failed")') THEN 'validated'
                ELSE 'draft' END AS status
    FROM drafts d JOIN proposals p ON p.proposal_id = d.proposal_id
    WHERE p.state IN ('open', 'merged')`
}

/** Of one who made them, or (null) of everybody. */
export async function draftById(sql: Executor, id: string, by: string | null): Promise<DraftRow | null> {
  const [row] = await sql<DraftRow[]>`
    ${found(sql)} AND d.draft_id = ${id} AND (${by}::text IS NULL OR d.created_by = ${by})`
  return row ?? null
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
