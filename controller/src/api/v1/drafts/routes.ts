import type { Route } from '../../http/route.ts'
import { promoteDraft, validateDraft } from './promote-drafts.ts'
import { listDrafts, readDraft } from './read-drafts.ts'
import { createDraft, saveDraft } from './save-drafts.ts'

/** Blueprints and packs before they are in force. */
export const DRAFT_ROUTES: readonly Route[] = [
  listDrafts,
  createDraft,
  readDraft,
  saveDraft,
  validateDraft,
  promoteDraft,
]
