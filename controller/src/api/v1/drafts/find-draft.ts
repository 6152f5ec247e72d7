import { fail } from '../../../lib/error-catalogue.ts'
import type { Executor } from '../../../store/database.ts'
import { type DraftRow, draftById } from '../../../store/queries/drafts.ts'
import type { Principal } from '../../auth/principal.ts'

/** An agent sees its own. */
export const madeBy = ({ type, name }: Principal): string | null => (type === 'agent' ? name : null)

/** SW_DRAFT_NOT_FOUND. */
export async function findDraft(sql: Executor, id: string, principal: Principal): Promise<DraftRow> {
  const row = await draftById(sql, id, madeBy(principal))
  if (row === null) throw fail('SW_DRAFT_NOT_FOUND', `there is no draft ${id}`)
  return row
}
