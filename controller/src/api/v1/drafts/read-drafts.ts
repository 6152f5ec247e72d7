import Type from 'typebox'
import { pageDrafts } from '../../../store/queries/drafts.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { samplePage } from '../samples.ts'
import { only, PageQuery, pageOf, Uuid } from '../schemas.ts'
import { Draft, DraftKindWord, draftDto, sampleDraft } from './draft-dto.ts'
import { findDraft, madeBy } from './find-draft.ts'

export const listDrafts = route({
  operation: 'listDrafts',
  method: 'GET',
  path: '/api/v1/drafts',
  aliases: ['/drafts'],
  tag: 'proposals',
  access: 'proposals.read',
  summary: 'List drafts, the newest first',
  description: 'Those whose proposal is open or merged. An agent sees its own.',
  query: only({ ...PageQuery, kind: Type.Optional(DraftKindWord) }),
  answers: { 200: pageOf(Draft) },
  example: { query: { kind: 'blueprint' }, answer: samplePage(sampleDraft) },
  async answer({ query, principal, correlationId }, { store: { reader } }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
    const rows = await pageDrafts(reader, {
      kind: query.kind ?? null,
      by: madeBy(principal),
      after: position === null ? null : { createdAt: position[0], id: position[1] },
      limit: query.limit + 1,
    })
    return pageBody(rows, { limit: query.limit, correlationId }, (last) => [last.created_at, last.draft_id], draftDto)
  },
})

export const readDraft = route({
  operation: 'readDraft',
  method: 'GET',
  path: '/api/v1/drafts/{draft_id}',
  aliases: ['/drafts/{draft_id}'],
  tag: 'proposals',
  access: 'proposals.read',
  summary: 'Read a draft',
  description: 'What is wrong with it, and what merging it would do, its proposal says.',
  params: Type.Object({ draft_id: Uuid }),
  answers: { 200: Draft },
  example: { params: { draft_id: sampleDraft.draft_id }, answer: sampleDraft },
  async answer({ params: { draft_id }, principal }, { store: { reader } }) {
    return draftDto(await findDraft(reader, draft_id, principal))
  },
})
