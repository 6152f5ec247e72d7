import Type, { type Static } from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { changeApprovalsOf } from '../../../store/queries/change-approvals.ts'
import { findObject } from '../../../store/queries/objects-read.ts'
import { getRun } from '../../../store/queries/runs.ts'
import { appliedDigest, decisionsAboutChange, lastAppliedEvent, proposalBehind } from '../../../store/queries/why.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, only, Time, Uuid } from '../schemas.ts'
import { ObjectTarget, Target, targetOf } from './object-target.ts'

const Person = Type.Object({ name: Type.String(), email: Type.String(), time: Time })
const Why = Type.Object(
  {
    object: Target,
    generation: Type.Integer(),
    digest: Type.String({ description: 'effective digest: what is applied' }),
    revision: Type.String({ description: 'the commit it stands on' }),
    commit: Nullable(
      Type.Object(
        { subject: Type.String(), author: Person, committer: Person, signed_by: Nullable(Type.String()) },
        { description: 'null for a plain folder, or when the repository has lost it' },
      ),
    ),
    applied: Nullable(
      Type.Object(
        {
          seq: Type.Integer(),
          at: Time,
          by: Type.String(),
          from: Nullable(Type.String()),
          correlation_id: Type.String(),
        },
        { description: 'null when that is older than the events that are kept' },
      ),
    ),
    proposal: Nullable(
      Type.Object({
        id: Type.String(),
        title: Type.String(),
        branch: Type.String(),
        author: Type.String(),
        merged_by: Nullable(Type.String()),
        merged_at: Nullable(Time),
        pull_request: Nullable(Type.String({ description: 'its address at the forge' })),
      }),
    ),
    approvals: Type.Array(
      Type.Object({
        decision: Type.Enum(['approve', 'reject']),
        actor: Type.String(),
        source: Type.String({ description: 'api, cli, forge, commit or merge' }),
        reason: Nullable(Type.String()),
        at: Time,
      }),
      { description: 'who said something about exactly this change' },
    ),
    decisions: Type.Array(
      Type.Object({
        id: Uuid,
        policy: Nullable(Type.String()),
        version: Nullable(Type.Integer()),
        rule: Nullable(Type.String()),
        effect: Type.String(),
        reason: Type.String(),
        author: Type.String({ description: 'about whose change it was asked' }),
        risk: Type.String(),
        at: Time,
      }),
      { description: 'what policies said about it' },
    ),
    run: Nullable(Type.Object({ run_id: Uuid, name: Type.String(), blueprint: Type.String() })),
    waits: Nullable(Type.String({ description: 'a newer change of it waits, or is denied: what for' })),
    correlation_id: Type.String(),
  },
  { title: 'Why' },
)

const ada = { name: 'Ada', email: 'ada@example.com', time: SAMPLE.time }
const sample: Static<typeof Why> = {
  object: { kind: 'Agent', namespace: 'default', name: 'sre' },
  generation: 2,
  digest: SAMPLE.digest,
  revision: SAMPLE.revision,
  commit: { subject: 'Merge proposal let-sre-restart-k3q9zt', author: ada, committer: ada, signed_by: null },
  applied: { seq: 4711, at: SAMPLE.later, by: 'system', from: SAMPLE.digest, correlation_id: SAMPLE.correlation },
  proposal: {
    ...{ id: 'let-sre-restart-k3q9zt', title: 'Let sre restart services', branch: 'proposals/let-sre-restart-k3q9zt' },
    ...{ author: 'agent:default/sre', merged_by: 'user:ada', merged_at: SAMPLE.later, pull_request: null },
  },
  approvals: [{ decision: 'approve', actor: 'user:ada', source: 'merge', reason: null, at: SAMPLE.later }],
  decisions: [
    {
      ...{ id: SAMPLE.event, policy: 'default/tools', version: 1, rule: 'owners', effect: 'require_approval' },
      ...{ reason: 'needs 1 approval of role:OwnerAdmin', author: 'agent:default/sre', risk: 'high', at: SAMPLE.time },
    },
  ],
  run: { run_id: SAMPLE.run, name: 'checkmk-auto-remediate-k3q9zt', blueprint: 'checkmk-auto-remediate' },
  waits: null,
  correlation_id: SAMPLE.correlation,
}

export const whyObject = route({
  operation: 'whyObject',
  method: 'GET',
  path: '/api/v1/objects/why',
  tag: 'objects',
  access: 'read',
  summary: 'Tell what is behind the present state of an object',
  description:
    'The commit it stands on, the proposal and the pull request it came by, who approved it, what policies decided about it, and the run that proposed it. Approvals and decisions are those of exactly this change.',
  query: only(ObjectTarget),
  answers: { 200: Why },
  example: { query: { kind: 'agent', name: 'sre' }, answer: sample },
  async answer({ query, correlationId }, context) {
    const ref = await targetOf(context, query)
    const { reader: sql } = context.store
    const row = await findObject(sql, ref)
    if (row === null) throw fail('SW_NOT_FOUND', `${ref.kind} ${ref.name} is gone`)
    const { last_applied_revision: revision } = row
    const digest = (await appliedDigest(context.store.engine, row.uid)) ?? ''
    const said = (await changeApprovalsOf(sql, [ref])).filter(({ to_digest }) => to_digest === digest)
    const proposals = said.flatMap(({ proposal }) => (proposal === null ? [] : [proposal]))
    const [applied, proposal, decisions, commit, held] = await Promise.all([
      lastAppliedEvent(sql, ref.kind, row.uid),
      proposalBehind(sql, revision, proposals),
      decisionsAboutChange(sql, { ...ref, digest }),
      context.services.approvals.commit(revision),
      context.services.approvals.held(),
    ])
    const from = said.at(-1)?.from_digest ?? null
    const run = proposal?.run_id == null ? null : await getRun(sql, proposal.run_id)
    const url = proposal?.forge?.['url']
    return {
      object: ref,
      ...{ generation: row.generation, digest, revision, commit },
      applied:
        applied === null
          ? null
          : {
              ...{ seq: applied.seq, at: applied.occurred_at.toISOString(), by: applied.actor, from },
              correlation_id: applied.correlation_id,
            },
      proposal:
        proposal === null
          ? null
          : {
              ...{ id: proposal.proposal_id, title: proposal.title, branch: proposal.branch, author: proposal.author },
              merged_by: proposal.closed_by,
              merged_at: proposal.closed_at?.toISOString() ?? null,
              pull_request: typeof url === 'string' ? url : null,
            },
      approvals: said.map(({ decision, actor, source, reason, decided_at }) => ({
        ...{ decision, actor, source, reason },
        at: decided_at.toISOString(),
      })),
      decisions: decisions.map((each) => ({
        ...{ id: each.decision_id, policy: each.policy, version: each.policy_version, rule: each.rule },
        ...{ effect: each.effect, reason: each.reason, author: each.subject, risk: each.risk },
        at: each.decided_at.toISOString(),
      })),
      run: run === null ? null : { run_id: run.run_id, name: run.name, blueprint: run.blueprint },
      waits:
        held.find(({ kind, namespace, name }) => kind === ref.kind && namespace === ref.namespace && name === ref.name)
          ?.message ?? null,
      correlation_id: correlationId,
    }
  },
})
