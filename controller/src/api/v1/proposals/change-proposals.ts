import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { proposalById } from '../../../store/queries/proposals.ts'
import type { ApiContext } from '../../context.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, only, optionalBody, Reference, Uuid } from '../schemas.ts'
import { findProposal } from './find-proposal.ts'
import { ProposalSchema, proposalDto, SAMPLE_ID, sampleProposal } from './proposal-dto.ts'

const MAX_BODY = 8 * 1024 * 1024

export const createProposal = route({
  operation: 'createProposal',
  method: 'POST',
  path: '/api/v1/proposals',
  tag: 'proposals',
  access: 'proposals.open',
  summary: 'Propose a change of the state repo',
  description:
    'Writes whole files as a commit on a branch of its own, by whoever asks. It is checked after the answer: read it again. Agents may propose, too; nothing of it is in force before it is merged.',
  bodyLimit: MAX_BODY,
  body: only(
    {
      title: Type.String({ minLength: 1, maxLength: 200, description: 'one line: what it is for' }),
      description: Type.String({ maxLength: 10_000, default: '' }),
      files: Type.Record(
        Type.String({ minLength: 1, maxLength: 1024 }),
        Nullable(Type.String({ maxLength: 1024 * 1024 })),
        {
          minProperties: 1,
          maxProperties: 1000,
          description: 'whole texts by path from the root of the repository; null deletes',
        },
      ),
      run_id: Type.Optional(Nullable({ ...Uuid, description: 'the run it comes from' } as typeof Uuid)),
      labels: Type.Optional(
        Type.Record(Type.String({ maxLength: 63 }), Type.String({ maxLength: 253 }), { maxProperties: 32 }),
      ),
      topic: Type.Optional(
        Nullable(
          Type.String({
            minLength: 1,
            maxLength: 120,
            description: 'what it is about; an older one of the same author about the same is superseded',
          }),
        ),
      ),
    },
    { title: 'CreateProposalRequest' },
  ),
  answers: { 201: ProposalSchema },
  example: {
    body: {
      title: 'Let sre restart services',
      files: { 'agents/sre.yaml': 'apiVersion: stateward.dev/v1alpha1\n' },
      run_id: SAMPLE.run,
    },
    answer: { ...sampleProposal, checked_against: null, checks: [], files: [], plan_digest: null, risk: null },
  },
  async answer({ body, caller }, context) {
    const { title, description, files, run_id: run = null, labels = {}, topic = null } = body
    const made = await context.services.proposals.propose({ title, description, files, run, labels, topic }, caller)
    return readBack(context, made.id)
  },
})

const Target = { params: Type.Object({ proposal: Reference }) }
const sampleParams = { proposal: SAMPLE_ID }
const closed = { closed_at: SAMPLE.later, closed_by: 'user:ada' }

export const rejectProposal = route({
  operation: 'rejectProposal',
  method: 'POST',
  path: '/api/v1/proposals/{proposal}/reject',
  aliases: ['/proposals/{proposal}/reject'],
  tag: 'proposals',
  access: 'proposals.open',
  summary: 'Reject a proposal, or withdraw an own one',
  description:
    'Its branch goes; its commits are kept. Whoever made it may withdraw it; to reject what others made takes the right to approve. The same again changes nothing.',
  ...Target,
  body: optionalBody({ reason: Type.Optional(Nullable(Type.String({ maxLength: 1000 }))) }),
  answers: { 200: ProposalSchema },
  example: {
    params: sampleParams,
    body: { reason: 'not now' },
    answer: { ...sampleProposal, ...closed, state: 'rejected', reason: 'not now' },
  },
  async answer({ params, body, principal, caller }, context) {
    const row = await findProposal(context.store.reader, params.proposal, principal)
    if (row.author !== principal.name && !principal.verbs.has('proposals.approve'))
      throw fail('SW_FORBIDDEN', `${principal.name} may not reject what ${row.author} proposes`)
    await context.services.proposals.reject(row.proposal_id, body?.reason ?? null, caller)
    return readBack(context, row.proposal_id)
  },
})

export const approveProposal = route({
  operation: 'approveProposal',
  method: 'POST',
  path: '/api/v1/proposals/{proposal}/approve',
  tag: 'proposals',
  access: 'proposals.approve',
  summary: 'Approve what a proposal would change',
  description:
    'Agrees to each change of it that a policy, or the owner of a path, asks about, from what is applied to what is proposed. Whoever made it counts for nothing (403). It says nothing about later commits of the branch that change the same objects.',
  ...Target,
  body: optionalBody({ reason: Type.Optional(Nullable(Type.String({ maxLength: 4000 }))) }),
  answers: { 200: ProposalSchema },
  example: { params: sampleParams, body: { reason: 'looks right' }, answer: sampleProposal },
  async answer({ params, body, principal, caller }, context) {
    const row = await findProposal(context.store.reader, params.proposal, principal)
    const word = { decision: 'approve' as const, reason: body?.reason ?? null, source: 'api' as const }
    await context.services.approvals.decideProposal(row.proposal_id, word, caller)
    return readBack(context, row.proposal_id)
  },
})

export const mergeProposal = route({
  operation: 'mergeProposal',
  method: 'POST',
  path: '/api/v1/proposals/{proposal}/merge',
  aliases: ['/proposals/{proposal}/merge'],
  tag: 'proposals',
  access: 'proposals.approve',
  summary: 'Merge a proposal',
  description:
    'Whoever merges agrees to what he is asked about; while approvals are missing it is refused (403). It is checked against the protected branch as it is now, and lands as a merge commit by its author; one after the other. 409 `checks_failed` names what is wrong. The same again changes nothing.',
  ...Target,
  answers: { 200: ProposalSchema },
  example: {
    params: sampleParams,
    answer: { ...sampleProposal, ...closed, state: 'merged', landed: '1f2e3d4c5b6a79880718293a4b5c6d7e8f901234' },
  },
  async answer({ params, principal, caller }, context) {
    const row = await findProposal(context.store.reader, params.proposal, principal)
    await context.services.proposals.merge(row.proposal_id, caller)
    return readBack(context, row.proposal_id)
  },
})

/** What was just written is read where it was written: readers may stand at a replica. */
async function readBack({ store }: ApiContext, id: string) {
  const row = await proposalById(store.engine, id)
  if (row === null) throw fail('SW_NOT_FOUND', `there is no proposal ${id}`)
  return proposalDto(row)
}
