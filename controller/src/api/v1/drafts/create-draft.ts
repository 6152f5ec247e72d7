import Type from 'typebox'
import { uuidv7 } from '../../../lib/ids.ts'
import type { JsonObject } from '../../../lib/json.ts'
import { draftFile } from '../../../proposals/draft-file.ts'
import { draftById, insertDraft } from '../../../store/queries/drafts.ts'
import { route } from '../../http/route.ts'
import { JsonMap, Name, only } from '../schemas.ts'
import { Draft, DraftKindWord, draftDto, sampleDraft } from './draft-dto.ts'

export const createDraft = route({
  operation: 'createDraft',
  method: 'POST',
  path: '/api/v1/drafts',
  aliases: ['/drafts'],
  tag: 'proposals',
  access: 'proposals.open',
  summary: 'Draft a blueprint or a pack',
  description:
    'It becomes a file of the state repo on a branch of its own: a proposal, whose checks say whether it is valid, and whose merge promotes it. `content` of a blueprint is its spec (or a flat file with `id`, `trigger` and `plan`), of a pack `{"documents": […]}`.',
  body: only(
    {
      namespace: Type.Optional(Name),
      name: Name,
      kind: DraftKindWord,
      content: JsonMap,
      description: Type.String({ maxLength: 10_000, default: '' }),
    },
    { title: 'DraftCreateRequest' },
  ),
  answers: { 201: Draft },
  example: {
    body: { name: sampleDraft.name, kind: 'blueprint', content: sampleDraft.content },
    answer: sampleDraft,
  },
  async answer({ body, caller }, { store, clock, services }) {
    const { name, kind, description, namespace = 'default' } = body
    // The body came as JSON, so its members are JSON.
    const content = body.content as JsonObject
    const { path, text } = draftFile({ namespace, name, kind, content })
    const proposal = await services.proposals.propose(
      { title: `Add ${kind} ${name}`, description, files: { [path]: text }, run: null, labels: {}, topic: null },
      caller,
    )
    const now = clock.now()
    const id = uuidv7(now.getTime())
    const made = { draft_id: id, proposal_id: proposal.id, namespace, name, kind, content }
    await insertDraft(store.engine, { ...made, created_by: caller.actor, created_at: now })
    return draftDto((await draftById(store.engine, id, null))!)
  },
})
