import type { PromotedDraft, SaveDraft, ValidatedDraft } from '../../proposals/drafts/ports.ts'
import type { Caller } from '../caller.ts'

/** Blueprints and packs before they are in force. In a process that does not lead, the leader does it. Agents work on their own. */
export interface DraftVerbs {
  /**
   * A new draft, or the next revision of one. SW_DRAFT_NOT_FOUND, SW_INVALID_DEFINITION,
   * SW_SECRET_IN_CHANGE; SW_CONFLICT: it is promoted, or the protected branch says so already.
   */
  save(request: SaveDraft, caller: Caller): Promise<{ readonly draft_id: string; readonly revision: number }>
  /** Keeps a report of its revision. SW_DRAFT_NOT_FOUND, SW_INVALID_SCHEMA, SW_CONFLICT: it is promoted. */
  validate(id: string, caller: Caller): Promise<ValidatedDraft>
  /**
   * Lands it and tags its version. SW_DRAFT_NOT_FOUND; SW_VALIDATION_FAILED: this revision has no valid report; SW_CONFLICT: it
   * is promoted already, or its version is taken; SW_FORBIDDEN: approvals are missing.
   */
  promote(id: string, caller: Caller): Promise<PromotedDraft>
}
