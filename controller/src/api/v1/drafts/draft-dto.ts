import Type, { type Static } from 'typebox'
import type { DraftRow } from '../../../store/queries/drafts.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Time, Uuid } from '../schemas.ts'

export const DraftKindWord = Type.Enum(['blueprint', 'pack'], {
  description: 'blueprint: one Blueprint; pack: several documents',
})

export const Draft = Type.Object(
  {
    draft_id: Uuid,
    namespace: Type.String(),
    name: Type.String(),
    kind: DraftKindWord,
    status: Type.Enum(['draft', 'validated', 'promoted'], {
      description: 'validated: its checks have passed; promoted: it is merged',
    }),
    content: JsonMap,
    proposal: Type.String({ description: 'the proposal that carries it' }),
    created_by: Type.String(),
    created_at: Time,
    updated_at: Time,
  },
  { title: 'Draft' },
)

export function draftDto({ proposal_id, created_at, updated_at, ...row }: DraftRow): Static<typeof Draft> {
  return {
    ...row,
    proposal: proposal_id,
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
  }
}

export const sampleDraft: Static<typeof Draft> = {
  draft_id: SAMPLE.step,
  namespace: 'default',
  name: 'restart-nginx',
  kind: 'blueprint',
  status: 'draft',
  content: { plan: [{ id: 'why', kind: 'agent_task', agent: 'sre', prompt: 'Why is nginx down?' }] },
  proposal: 'add-blueprint-restart-nginx-k3q9zt',
  created_by: 'user:ada',
  created_at: SAMPLE.time,
  updated_at: SAMPLE.time,
}
