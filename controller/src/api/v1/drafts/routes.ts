import type { Route } from '../../http/route.ts'
import { createDraft } from './create-draft.ts'
import { listDrafts, readDraft } from './read-drafts.ts'

/** Blueprints and packs before they are merged. */
export const DRAFT_ROUTES: readonly Route[] = [listDrafts, createDraft, readDraft]
