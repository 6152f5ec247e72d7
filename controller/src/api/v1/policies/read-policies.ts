import Type from 'typebox'
import { pageDecisions, pagePolicyVersions } from '../../../store/queries/policies.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { samplePage } from '../samples.ts'
import { Name, NamespaceQuery, only, PageQuery, pageOf, Time, Uuid } from '../schemas.ts'
import {
  EffectWord,
  PointWord,
  PolicyDecision,
  PolicyVersion,
  policyDecisionDto,
  policyVersionDto,
  samplePolicyDecision,
  samplePolicyVersion,
} from './policy-dto.ts'

export const listPolicyVersions = route({
  operation: 'listPolicyVersions',
  method: 'GET',
  path: '/api/v1/policies/versions',
  tag: 'policies',
  access: 'read',
  summary: 'List the versions of policies that were in force, the newest first',
  query: only({ ...PageQuery, ...NamespaceQuery, name: Type.Optional(Name) }),
  answers: { 200: pageOf(PolicyVersion) },
  example: { query: { name: 'production' }, answer: samplePage(samplePolicyVersion) },
  async answer({ query, correlationId }, { store: { reader } }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid', 'number'])
    const rows = await pagePolicyVersions(reader, {
      namespace: query.namespace ?? null,
      name: query.name ?? null,
      after: position === null ? null : { activatedAt: position[0], uid: position[1], version: position[2] },
      limit: query.limit + 1,
    })
    const page = { limit: query.limit, correlationId }
    return pageBody(rows, page, (last) => [last.activated_at, last.uid, last.version], policyVersionDto)
  },
})

export const listPolicyDecisions = route({
  operation: 'listPolicyDecisions',
  method: 'GET',
  path: '/api/v1/policies/decisions',
  tag: 'policies',
  access: 'read',
  summary: 'List what policies decided, the newest first',
  description: 'What no policy is about is not recorded.',
  query: only({
    ...PageQuery,
    ...NamespaceQuery,
    policy: Type.Optional(Type.String({ minLength: 3, maxLength: 127, description: '<namespace>/<name>' })),
    effect: Type.Optional(EffectWord),
    point: Type.Optional(PointWord),
    run_id: Type.Optional(Uuid),
    since: Type.Optional(Time),
  }),
  answers: { 200: pageOf(PolicyDecision) },
  example: { query: { effect: 'require_approval' }, answer: samplePage(samplePolicyDecision) },
  async answer({ query, correlationId }, { store: { reader } }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
    const rows = await pageDecisions(reader, {
      namespace: query.namespace ?? null,
      policy: query.policy ?? null,
      effect: query.effect ?? null,
      point: query.point ?? null,
      runId: query.run_id ?? null,
      since: query.since === undefined ? null : new Date(query.since),
      after: position === null ? null : { decidedAt: position[0], id: position[1] },
      limit: query.limit + 1,
    })
    const page = { limit: query.limit, correlationId }
    return pageBody(rows, page, (last) => [last.decided_at, last.decision_id], policyDecisionDto)
  },
})
