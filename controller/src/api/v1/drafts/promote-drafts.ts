import Type from 'typebox'
import { route } from '../../http/route.ts'
import { Uuid } from '../schemas.ts'
import { DraftPromotion, DraftValidation, sampleDraft, samplePromotion, sampleValidation } from './draft-dto.ts'
import { findDraft } from './find-draft.ts'

const Target = { params: Type.Object({ draft_id: Uuid }) }
const sampleParams = { draft_id: sampleDraft.draft_id }

export const validateDraft = route({
  operation: 'validateDraft',
  method: 'POST',
  path: '/api/v1/drafts/{draft_id}/validate',
  aliases: ['/drafts/{draft_id}/validate'],
  tag: 'proposals',
  access: 'proposals.open',
  summary: 'Validate a draft',
  description:
    'Checks what merging it would come to, as both branches stand now, and keeps the report, also as an artifact of kind `report`. 422 `invalid_schema`: it does not fit the schema of its kind; `details.violations` lists where, and the report is kept all the same.',
  idempotency: false,
  ...Target,
  answers: { 200: DraftValidation },
  example: { params: sampleParams, answer: sampleValidation },
  async answer({ params, principal, caller }, { store, services }) {
    const { draft_id } = await findDraft(store.engine, params.draft_id, principal)
    return services.drafts.validate(draft_id, caller)
  },
})

export const promoteDraft = route({
  operation: 'promoteDraft',
  method: 'POST',
  path: '/api/v1/drafts/{draft_id}/promote',
  aliases: ['/drafts/{draft_id}/promote'],
  tag: 'proposals',
  access: 'proposals.approve',
  summary: 'Promote a draft',
  description:
    'Merges its proposal, with the word of whoever promotes, and tags the commit `bp/<id>/v<version>` (a pack: `pack/<id>/v<version>`). A version stays as it is: 409 `conflict` for a draft that is promoted, or whose version another one took. 400 `validation_failed`: its revision has no valid report.',
  ...Target,
  answers: { 200: DraftPromotion },
  example: { params: sampleParams, answer: samplePromotion },
  async answer({ params, principal, caller }, { store, services }) {
    const { draft_id } = await findDraft(store.engine, params.draft_id, principal)
    const { kind, id, version, tag, commit, proposal } = await services.drafts.promote(draft_id, caller)
    const named = kind === 'blueprint' ? { blueprint_id: id, pack_id: null } : { blueprint_id: null, pack_id: id }
    return { draft_id, ...named, version, status: 'active' as const, tag, commit, proposal }
  },
})
