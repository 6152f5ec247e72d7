import { fail } from '../../lib/error-catalogue.ts'
import { isUuid } from '../../lib/ids.ts'
import { type DraftRow, draftById } from '../../store/queries/drafts.ts'
import type { Store } from '../../store/store.ts'

/** An agent works on its own drafts; null = on everybody's. */
export function ownOf(actor: string): string | null {
  return actor.startsWith('agent:') ? actor : null
}

/** SW_DRAFT_NOT_FOUND when there is none, or it is somebody else's. */
export async function draftOf({ engine }: Pick<Store, 'engine'>, id: string, by: string | null): Promise<DraftRow> {
  const row = isUuid(id) ? await draftById(engine, id, by) : null
  if (row === null) throw fail('SW_DRAFT_NOT_FOUND', `there is no draft ${id}`)
  return row
}
