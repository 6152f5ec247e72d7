import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import type { JsonObject } from '../../../lib/json.ts'
import { route } from '../../http/route.ts'
import { proposalFields, sampleProposal } from '../proposal-dto.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Name, only } from '../schemas.ts'
import { sampleTemplate } from './template-dto.ts'

export const proposeTemplate = route({
  operation: 'proposeTemplate',
  method: 'POST',
  path: '/api/v1/templates',
  aliases: ['/templates'],
  tag: 'agents',
  access: 'proposals.write',
  summary: 'Propose a new template of agents',
  description:
    'The answer holds the commit that declares it in `templates/<name>.yaml`; it is there once that is merged. 400 when its spec is not sound, 409 when there is one of that name.',
  body: only(
    {
      name: Name,
      namespace: Type.Optional(Name),
      spec: Type.Unsafe<JsonObject>({ ...JsonMap, description: 'as an AgentTemplate has it' }),
      reason: Type.Optional(Type.String({ maxLength: 1000 })),
      merge: Type.Boolean({ default: false, description: 'put the commit on the protected branch at once' }),
    },
    { title: 'NewTemplate' },
  ),
  answers: {
    202: Type.Object(
      { namespace: Type.String(), name: Name, ...proposalFields, correlation_id: Type.String() },
      { title: 'TemplateProposal' },
    ),
  },
  example: {
    body: { name: 'orchestrator', spec: sampleTemplate.spec, merge: false },
    answer: {
      namespace: 'default',
      name: 'orchestrator',
      ...sampleProposal('add-agenttemplate-orchestrator'),
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ body, caller, principal, correlationId }, { services }) {
    if (body.merge && !principal.verbs.has('proposals.approve'))
      throw fail('SW_FORBIDDEN', `${principal.name} may propose changes, but not merge them`)
    const { name, namespace = 'default', spec, reason = null, merge } = body
    const proposal = await services.proposals.create(
      { kind: 'AgentTemplate', namespace, name, spec },
      { folder: 'templates', reason, merge },
      caller,
    )
    return { namespace, name, ...proposal, correlation_id: correlationId }
  },
})
