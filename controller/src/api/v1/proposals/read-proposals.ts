import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { pageProposals } from '../../../store/queries/proposals.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { JsonMap, only, PageQuery, pageOf, Reference, Uuid } from '../schemas.ts'
import { findProposal } from './find-proposal.ts'
import { ProposalSchema, proposalDto, SAMPLE_ID, StateWord, sampleProposal } from './proposal-dto.ts'

export const listProposals = route({
  operation: 'listProposals',
  method: 'GET',
  path: '/api/v1/proposals',
  aliases: ['/proposals'],
  tag: 'proposals',
  access: 'proposals.read',
  summary: 'List proposals, the newest first',
  description: 'Every branch `proposals/*` and `agents/<namespace>/<name>/*` is one. An agent sees its own.',
  query: only({
    ...PageQuery,
    state: Type.Optional(StateWord),
    author: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: 'user:ada, agent:default/sre …' })),
    run: Type.Optional(Uuid),
  }),
  answers: { 200: pageOf(ProposalSchema) },
  example: { query: { state: 'open' }, answer: samplePage(sampleProposal) },
  async answer({ query, principal, correlationId }, { store: { reader } }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'string'])
    const rows = await pageProposals(reader, {
      state: query.state ?? null,
      author: principal.type === 'agent' ? principal.name : (query.author ?? null),
      runId: query.run ?? null,
      after: position === null ? null : { openedAt: position[0], id: position[1] },
      limit: query.limit + 1,
    })
    const page = { limit: query.limit, correlationId }
    return pageBody(rows, page, (last) => [last.opened_at, last.proposal_id], proposalDto)
  },
})

const Target = { params: Type.Object({ proposal: Reference }) }
const sampleParams = { proposal: SAMPLE_ID }

export const readProposal = route({
  operation: 'readProposal',
  method: 'GET',
  path: '/api/v1/proposals/{proposal}',
  aliases: ['/proposals/{proposal}'],
  tag: 'proposals',
  access: 'proposals.read',
  summary: 'Read a proposal with its checks',
  description: 'By id, by a unique beginning of it, or by branch.',
  ...Target,
  answers: { 200: ProposalSchema },
  example: { params: sampleParams, answer: sampleProposal },
  answer: async ({ params, principal }, { store: { reader } }) =>
    proposalDto(await findProposal(reader, params.proposal, principal)),
})

export const planOfProposal = route({
  operation: 'planOfProposal',
  method: 'GET',
  path: '/api/v1/proposals/{proposal}/plan',
  aliases: ['/proposals/{proposal}/plan'],
  tag: 'proposals',
  access: 'proposals.read',
  summary: 'Read what a proposal would do',
  description:
    'The plan of merging it into the protected branch as it was when it was checked last: changes, effects and risk, as `stateward plan -o json` prints them. 503 while it is not checked yet, 409 when it cannot be merged.',
  ...Target,
  answers: { 200: JsonMap },
  example: {
    params: sampleParams,
    answer: {
      fromRevision: SAMPLE.revision,
      toRevision: sampleProposal.head,
      counts: { create: 0, update: 1, unchanged: 7, delete: 0, skip: 0, blocked: 0 },
      risk: 'high',
      digest: SAMPLE.digest,
    },
  },
  async answer({ params, principal }, { store: { reader } }) {
    const row = await findProposal(reader, params.proposal, principal)
    if (row.plan !== null) return row.plan
    if (row.onto === null) throw fail('SW_NOT_READY', `proposal ${row.proposal_id} is not checked yet`)
    throw fail(
      'SW_CHECKS_FAILED',
      `proposal ${row.proposal_id} has no plan: ${row.check_error ?? 'it cannot be merged'}`,
    )
  },
})

export const diffOfProposal = route({
  operation: 'diffOfProposal',
  method: 'GET',
  path: '/api/v1/proposals/{proposal}/diff',
  aliases: ['/proposals/{proposal}/diff'],
  tag: 'proposals',
  access: 'proposals.read',
  summary: 'Read the changed lines of a proposal',
  ...Target,
  answers: {
    200: Type.Object(
      {
        diff: Type.String({ description: 'a unified diff since the branch left the protected one' }),
        truncated: Type.Boolean({ description: 'it is longer than what is shown' }),
      },
      { title: 'ProposalDiff' },
    ),
  },
  example: {
    params: sampleParams,
    answer: {
      diff: '--- a/agents/sre.yaml\n+++ b/agents/sre.yaml\n@@ -4 +4 @@\n-  replicas: 1\n+  replicas: 2\n',
      truncated: false,
    },
  },
  async answer({ params, principal }, { store: { reader }, services }) {
    const { proposal_id } = await findProposal(reader, params.proposal, principal)
    const { text, truncated } = await services.proposals.diff(proposal_id)
    return { diff: text, truncated }
  },
})
