import Type, { type Static } from 'typebox'
import type { DraftRow } from '../../../store/queries/drafts.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Nullable, Time, Uuid } from '../schemas.ts'

export const DraftKindWord = Type.Enum(['blueprint', 'pack'], {
  description: 'blueprint: one Blueprint; pack: several documents',
})

const DraftIssue = Type.Object(
  {
    check: Type.String({
      description: 'what found it: mergeable, paths, secrets, schema, references, approvals, error',
    }),
    code: Type.String(),
    message: Type.String(),
    hint: Type.String(),
    file: Nullable(Type.String()),
    line: Nullable(Type.Integer()),
    column: Nullable(Type.Integer()),
  },
  { title: 'DraftIssue' },
)

const Found = {
  is_valid: Type.Boolean(),
  issues: Type.Array(DraftIssue),
  artifact_id: Nullable({ ...Uuid, description: 'the report as an artifact' } as typeof Uuid),
}

export const Draft = Type.Object(
  {
    draft_id: Uuid,
    namespace: Type.String(),
    name: Type.String(),
    kind: DraftKindWord,
    revision: Type.Integer({ minimum: 1, description: 'one more with each save that changes something' }),
    status: Type.Enum(['draft', 'validated', 'promoted'], {
      description: 'validated: its revision has a valid report; promoted: it is merged',
    }),
    content: JsonMap,
    trigger_event_type: Nullable(Type.String()),
    notes: Type.String(),
    source_run_id: Nullable(Uuid),
    proposal: Type.String({ description: 'the proposal that carries it' }),
    version: Nullable(Type.String({ description: 'what it was promoted as' })),
    tag: Nullable(Type.String({ description: 'of that version in Git: bp/<id>/v<version>' })),
    report: Nullable(Type.Object(Found)),
    created_by: Type.String(),
    created_at: Time,
    updated_at: Time,
  },
  { title: 'Draft' },
)

export function draftDto(row: DraftRow): Static<typeof Draft> {
  const { draft_id, namespace, name, kind, revision, status, content, trigger_event_type, notes, tag, report } = row
  return {
    ...{ draft_id, namespace, name, kind, revision, status, content, trigger_event_type, notes, tag },
    source_run_id: row.run_id,
    proposal: row.proposal_id,
    version: tag === null ? null : String(row.version),
    report:
      report === null
        ? null
        : { is_valid: report.is_valid, issues: [...report.issues], artifact_id: report.artifact_id },
    created_by: row.created_by,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  }
}

export const sampleDraft: Static<typeof Draft> = {
  draft_id: SAMPLE.step,
  namespace: 'default',
  name: 'restart-nginx',
  kind: 'blueprint',
  revision: 1,
  status: 'draft',
  content: { plan: [{ id: 'why', kind: 'agent_task', agent: 'sre', prompt: 'Why is nginx down?' }] },
  trigger_event_type: null,
  notes: '',
  source_run_id: null,
  proposal: 'add-blueprint-restart-nginx-k3q9zt',
  version: null,
  tag: null,
  report: null,
  created_by: 'user:ada',
  created_at: SAMPLE.time,
  updated_at: SAMPLE.time,
}

export const DraftValidation = Type.Object(
  { draft_id: Uuid, revision: Type.Integer(), ...Found },
  { title: 'DraftValidation' },
)

export const sampleValidation: Static<typeof DraftValidation> = {
  ...{ draft_id: sampleDraft.draft_id, revision: 1, is_valid: false },
  issues: [
    {
      ...{ check: 'references', code: 'SW_REFERENCE_NOT_FOUND', message: 'there is no Agent sre' },
      ...{ hint: 'declare it first', file: 'blueprints/restart-nginx.yaml', line: 7, column: 14 },
    },
  ],
  artifact_id: SAMPLE.run,
}

export const DraftPromotion = Type.Object(
  {
    draft_id: Uuid,
    blueprint_id: Nullable(Type.String({ description: 'null for a pack' })),
    pack_id: Nullable(Type.String({ description: 'null for a blueprint' })),
    version: Type.String(),
    status: Type.Enum(['active']),
    tag: Type.String(),
    commit: Type.String({ description: 'where it is on the protected branch' }),
    proposal: Type.String(),
  },
  { title: 'DraftPromotion' },
)

export const samplePromotion: Static<typeof DraftPromotion> = {
  ...{ draft_id: sampleDraft.draft_id, blueprint_id: 'restart-nginx', pack_id: null, version: '1', status: 'active' },
  ...{ tag: 'bp/restart-nginx/v1', commit: '1f2e3d4c5b6a79880718293a4b5c6d7e8f901234' },
  proposal: sampleDraft.proposal,
}
