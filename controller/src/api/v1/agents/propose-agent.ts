import Type, { type Static } from 'typebox'
import type { ObjectRef } from '../../../kinds/resource.ts'
import type { JsonObject } from '../../../lib/json.ts'
import { route } from '../../http/route.ts'
import type { Proposal } from '../../ports/proposals.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Name, NamespaceQuery, Nullable, only, Reference } from '../schemas.ts'
import { findAgentFor } from './find-agent.ts'

const ProposedAgent = Type.Object(
  {
    name: Type.String(),
    namespace: Type.String(),
    proposal: Type.Object(
      {
        branch: Type.String({ description: 'merging it is what makes it so' }),
        commit: Type.String(),
        reused: Type.Boolean({ description: 'the same was proposed before, and is still open' }),
      },
      { title: 'Proposal' },
    ),
    correlation_id: Type.String(),
  },
  { title: 'ProposedAgent' },
)

const Strings = Type.Record(Type.String({ maxLength: 317 }), Type.String({ maxLength: 4096 }), { maxProperties: 64 })
const Reason = Type.Optional(Nullable(Type.String({ maxLength: 1000, description: 'stands in the commit' })))

const sample = (verb: string): Static<typeof ProposedAgent> => ({
  name: 'greeter',
  namespace: 'default',
  proposal: { branch: `proposals/${verb}-agent-greeter`, commit: SAMPLE.revision, reused: false },
  correlation_id: SAMPLE.correlation,
})

const answerOf = (
  { name, namespace }: ObjectRef,
  { branch, commit, reused }: Proposal,
  correlationId: string,
): Static<typeof ProposedAgent> => ({
  name,
  namespace,
  // Asked for without merge, it stands on a branch.
  proposal: { branch: branch!, commit, reused },
  correlation_id: correlationId,
})

export const createAgent = route({
  operation: 'createAgent',
  method: 'POST',
  path: '/api/v1/agents',
  aliases: ['/agents'],
  tag: 'agents',
  access: 'proposals.write',
  summary: 'Propose a new agent',
  description: 'Writes its declaration as a commit on a branch of its own; merging that branch is what creates it.',
  body: only(
    {
      name: Name,
      namespace: Type.Optional(Name),
      labels: Type.Optional(Strings),
      annotations: Type.Optional(Strings),
      spec: Type.Unsafe<JsonObject>({ ...JsonMap, description: 'as in a file of the state repo' }),
      reason: Reason,
    },
    { title: 'CreateAgentRequest' },
  ),
  answers: { 202: ProposedAgent },
  example: {
    body: {
      name: 'greeter',
      spec: { runtime: { process: { command: ['python3', '/opt/greet.py'], mode: 'perTask' } } },
    },
    answer: sample('add'),
  },
  async answer({ body, caller, correlationId }, { services }) {
    const ref = { kind: 'Agent', namespace: body.namespace ?? 'default', name: body.name }
    const object = {
      ...ref,
      spec: body.spec,
      ...(body.labels === undefined ? {} : { labels: body.labels }),
      ...(body.annotations === undefined ? {} : { annotations: body.annotations }),
    }
    const options = { folder: 'agents', reason: body.reason ?? null, merge: false }
    return answerOf(ref, await services.proposals.create(object, options, caller), correlationId)
  },
})

export const updateAgent = route({
  operation: 'updateAgent',
  method: 'PATCH',
  path: '/api/v1/agents/{agent}',
  aliases: ['/agents/{agent}'],
  tag: 'agents',
  access: 'proposals.write',
  summary: 'Propose a change of an agent',
  description:
    '`spec`, `labels` and `annotations` are JSON merge patches: maps merge, lists replace, null removes. Comments of the file are kept.',
  params: Type.Object({ agent: Reference }),
  query: only(NamespaceQuery),
  body: only(
    {
      spec: Type.Optional(Type.Unsafe<JsonObject>({ ...JsonMap })),
      labels: Type.Optional(Type.Unsafe<JsonObject>({ ...JsonMap })),
      annotations: Type.Optional(Type.Unsafe<JsonObject>({ ...JsonMap })),
      reason: Reason,
    },
    { title: 'UpdateAgentRequest' },
  ),
  answers: { 202: ProposedAgent },
  example: {
    params: { agent: 'greeter' },
    body: { spec: { replicas: 3 }, reason: 'more to greet' },
    answer: sample('update'),
  },
  async answer({ params, query, body, principal, caller, correlationId }, context) {
    const ref = refOf(await findAgentFor(context, params.agent, query.namespace, principal))
    const { spec, reason, ...metadata } = body
    const patch = {
      ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
      ...(spec === undefined ? {} : { spec }),
    } as JsonObject
    const options = { reason: reason ?? null, merge: false }
    const proposal = await context.services.proposals.update(ref, patch, options, caller)
    return answerOf(ref, proposal, correlationId)
  },
})

export const deleteAgent = route({
  operation: 'deleteAgent',
  method: 'DELETE',
  path: '/api/v1/agents/{agent}',
  aliases: ['/agents/{agent}'],
  tag: 'agents',
  access: 'proposals.write',
  summary: 'Propose the removal of an agent',
  params: Type.Object({ agent: Reference }),
  query: only(NamespaceQuery),
  answers: { 202: ProposedAgent },
  example: { params: { agent: 'greeter' }, answer: sample('delete') },
  async answer({ params, query, principal, caller, correlationId }, context) {
    const ref = refOf(await findAgentFor(context, params.agent, query.namespace, principal))
    const proposal = await context.services.proposals.remove(ref, { reason: null, merge: false }, caller)
    return answerOf(ref, proposal, correlationId)
  },
})

function refOf({ namespace, name }: { readonly namespace: string; readonly name: string }): ObjectRef {
  return { kind: 'Agent', namespace, name }
}
