import Type from 'typebox'
import type { JsonObject } from '../../../lib/json.ts'
import { draftById } from '../../../store/queries/drafts.ts'
import type { ApiContext } from '../../context.ts'
import { route } from '../../http/route.ts'
import { JsonMap, Name, only, Uuid } from '../schemas.ts'
import { Draft, DraftKindWord, draftDto, sampleDraft } from './draft-dto.ts'
import { findDraft } from './find-draft.ts'

const MAX_BODY = 1024 * 1024
const Content = Type.Union([JsonMap, Type.String({ minLength: 1, maxLength: 1_000_000 })], {
  description: 'JSON, or a text of YAML, which keeps its comments',
})
const Told = {
  trigger_event_type: Type.Optional(
    Type.String({ minLength: 1, maxLength: 253, description: 'the event that starts it, where content does not say' }),
  ),
  notes: Type.String({ maxLength: 10_000, default: '', description: 'why' }),
  source_run_id: Type.Optional({ ...Uuid, description: 'the run it comes from' } as typeof Uuid),
}

export const createDraft = route({
  operation: 'createDraft',
  method: 'POST',
  path: '/api/v1/drafts',
  aliases: ['/drafts'],
  tag: 'proposals',
  access: 'proposals.open',
  summary: 'Draft a blueprint or a pack',
  description:
    'It becomes a file of the state repo on a branch of its own: a proposal. `content` of a blueprint is its spec, its whole document, or a flat file with `id`, `trigger` and `plan`; of a pack `{"documents": […]}`. An open draft of yours about the same gets another revision.',
  bodyLimit: MAX_BODY,
  body: only(
    {
      namespace: Type.Optional(Name),
      name: Name,
      kind: DraftKindWord,
      content: Content,
      description: Type.Optional(Type.String({ maxLength: 10_000, description: 'another word for notes' })),
      ...Told,
    },
    { title: 'DraftCreateRequest' },
  ),
  answers: { 201: Draft },
  example: {
    body: { name: sampleDraft.name, kind: 'blueprint', content: sampleDraft.content },
    answer: sampleDraft,
  },
  async answer({ body, caller }, context) {
    const { name, kind, content, description, notes, trigger_event_type, source_run_id, namespace = 'default' } = body
    const { draft_id } = await context.services.drafts.save(
      {
        ...{ namespace, name, kind, draftId: null },
        // The body came as JSON, so its members are JSON.
        definition: content as JsonObject | string,
        trigger: trigger_event_type ?? null,
        notes: notes === '' ? (description ?? '') : notes,
        runId: source_run_id ?? null,
      },
      caller,
    )
    return readBack(context, draft_id)
  },
})

export const saveDraft = route({
  operation: 'saveDraft',
  method: 'PUT',
  path: '/api/v1/drafts/{draft_id}',
  aliases: ['/drafts/{draft_id}'],
  tag: 'proposals',
  access: 'proposals.open',
  summary: 'Save a draft again',
  description:
    'A commit more on its branch, and a revision more, which has to be validated anew. The same content again changes nothing. 409 `conflict`: it is promoted.',
  bodyLimit: MAX_BODY,
  params: Type.Object({ draft_id: Uuid }),
  body: only({ content: Content, ...Told }, { title: 'DraftSaveRequest' }),
  answers: { 200: Draft },
  example: {
    params: { draft_id: sampleDraft.draft_id },
    body: { content: sampleDraft.content, notes: 'asks first' },
    answer: { ...sampleDraft, revision: 2, notes: 'asks first' },
  },
  async answer({ params, body, principal, caller }, context) {
    const { content, notes, trigger_event_type, source_run_id } = body
    const before = await findDraft(context.store.engine, params.draft_id, principal)
    const { namespace, name, kind } = before
    const { draft_id } = await context.services.drafts.save(
      {
        ...{ namespace, name, kind, draftId: before.draft_id, notes },
        definition: content as JsonObject | string,
        trigger: trigger_event_type ?? null,
        runId: source_run_id ?? null,
      },
      caller,
    )
    return readBack(context, draft_id)
  },
})

async function readBack({ store }: ApiContext, id: string) {
  return draftDto((await draftById(store.engine, id, null))!)
}
