import Type, { type Static } from 'typebox'
import { PROPOSAL_STATES } from '../../../lifecycle/proposal.ts'
import { RISKS } from '../../../plan/effects/effect.ts'
import { AUTHOR_KINDS, CHECK_STATES, type ProposalSummary } from '../../../store/queries/proposals.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Nullable, Time, Uuid } from '../schemas.ts'

const Problem = Type.Object(
  {
    code: Type.String(),
    message: Type.String(),
    hint: Type.String({ description: 'what to do about it' }),
    file: Nullable(Type.String()),
    line: Nullable(Type.Integer()),
    column: Nullable(Type.Integer()),
  },
  { title: 'ProposalProblem' },
)

const Check = Type.Object(
  {
    name: Type.String({ description: 'mergeable, paths, schema, references, plan …' }),
    state: Type.Enum([...CHECK_STATES], {
      description: 'waiting = nothing is wrong, and somebody has to say something',
    }),
    summary: Type.String(),
    problems: Type.Array(Problem),
  },
  { title: 'ProposalCheck' },
)

export const StateWord = Type.Enum([...PROPOSAL_STATES])

export const ProposalSchema = Type.Object(
  {
    id: Type.String(),
    branch: Type.String({ description: 'without refs/heads/' }),
    state: StateWord,
    title: Type.String(),
    description: Type.String(),
    author: Type.String({ description: 'user:…, key:…, agent:<namespace>/<name>, system, or git:<address>' }),
    author_kind: Type.Enum([...AUTHOR_KINDS]),
    contributors: Type.Array(Type.String(), {
      description: 'everybody who brought commits of it, its author among them',
    }),
    run_id: Nullable(Uuid),
    correlation_id: Type.String(),
    labels: Type.Record(Type.String(), Type.String()),
    topic: Nullable(
      Type.String({ description: 'what it is about: a newer one of its author about the same replaces it' }),
    ),
    base: Type.String({ description: 'the commit where the branch left the protected one' }),
    head: Type.String({ description: 'the commit of the branch' }),
    checked_against: Nullable(
      Type.String({ description: 'the commit of the protected branch; null = not checked yet' }),
    ),
    check_error: Nullable(Type.String({ description: 'why it could not be checked' })),
    files: Type.Array(Type.String(), { description: 'changed files, from the root of the repository' }),
    checks: Type.Array(Check),
    plan_digest: Nullable(Type.String()),
    risk: Nullable(Type.Enum([...RISKS])),
    forge: Nullable(Type.Unsafe<Record<string, unknown>>({ ...JsonMap, description: 'where a forge shows it' })),
    opened_at: Time,
    updated_at: Time,
    expires_at: Nullable(Time),
    closed_at: Nullable(Time),
    closed_by: Nullable(Type.String()),
    reason: Nullable(Type.String()),
    landed: Nullable(Type.String({ description: 'the commit of the protected branch that holds it' })),
    superseded_by: Nullable(Type.String()),
  },
  { title: 'ChangeProposal' },
)

export type ProposalDto = Static<typeof ProposalSchema>

export function proposalDto(row: ProposalSummary): ProposalDto {
  const { proposal_id: id, onto, ...rest } = row
  return {
    id,
    branch: row.branch,
    state: row.state,
    title: row.title,
    description: row.description,
    author: row.author,
    author_kind: row.author_kind,
    contributors: [...row.contributors],
    run_id: row.run_id,
    correlation_id: row.correlation_id,
    labels: { ...row.labels },
    topic: row.topic,
    base: row.base,
    head: row.head,
    checked_against: onto,
    check_error: row.check_error,
    files: [...row.files],
    checks: row.checks.map((check) => ({ ...check, problems: [...check.problems] })),
    plan_digest: row.plan_digest,
    risk: row.risk,
    forge: rest.forge,
    opened_at: row.opened_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
    closed_at: row.closed_at?.toISOString() ?? null,
    closed_by: row.closed_by,
    reason: row.reason,
    landed: row.landed,
    superseded_by: row.superseded_by,
  }
}

export const SAMPLE_ID = 'let-sre-restart-k3q9zt'

export const sampleProposal: ProposalDto = {
  id: SAMPLE_ID,
  branch: `proposals/${SAMPLE_ID}`,
  state: 'open',
  title: 'Let sre restart services',
  description: '',
  author: 'agent:default/sre',
  author_kind: 'agent',
  contributors: ['agent:default/sre'],
  run_id: SAMPLE.run,
  correlation_id: SAMPLE.correlation,
  labels: {},
  topic: null,
  base: SAMPLE.revision,
  head: '8d7c6b5a4f3e2d1c0b9a89786756453423120fed',
  checked_against: SAMPLE.revision,
  check_error: null,
  files: ['agents/sre.yaml'],
  checks: [
    { name: 'mergeable', state: 'passed', summary: 'no conflicts', problems: [] },
    { name: 'plan', state: 'passed', summary: '1 update; risk high', problems: [] },
  ],
  plan_digest: SAMPLE.digest,
  risk: 'high',
  forge: null,
  opened_at: SAMPLE.time,
  updated_at: SAMPLE.later,
  expires_at: null,
  closed_at: null,
  closed_by: null,
  reason: null,
  landed: null,
  superseded_by: null,
}
