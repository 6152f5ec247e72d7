import Type from 'typebox'
import { route } from '../../http/route.ts'
import { agentOf } from '../agents/own-agent.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, only, Uuid } from '../schemas.ts'
import { Intervention, interventionDto, sampleIntervention } from './intervention-dto.ts'

export const acknowledgeIntervention = route({
  operation: 'acknowledgeIntervention',
  method: 'POST',
  path: '/api/v1/interventions/{intervention}/ack',
  aliases: ['/interventions/{intervention}/ack'],
  tag: 'interventions',
  access: 'agent.work',
  summary: 'Answer an intervention, as an instance of its agent',
  description:
    'acknowledged: it is heard; applied: it is done; rejected: it will not be. It is applied when every living instance says so. The same answer again changes nothing; 409 when it is over or was answered otherwise.',
  idempotency: false,
  params: Type.Object({ intervention: Uuid }),
  body: only(
    {
      state: Type.Enum(['acknowledged', 'applied', 'rejected']),
      detail: Type.Optional(Nullable(Type.String({ maxLength: 1000, description: 'what people should know of it' }))),
    },
    { title: 'InterventionAnswer' },
  ),
  answers: { 200: Intervention },
  example: {
    params: { intervention: SAMPLE.intervention },
    body: { state: 'applied' },
    answer: {
      ...sampleIntervention,
      state: 'applied',
      acknowledged_at: SAMPLE.later,
      acknowledged_by: 'agent:default/sre',
      settled_at: SAMPLE.later,
    },
  },
  async answer({ principal, params, body }, { services }) {
    const answer = { interventionId: params.intervention, state: body.state, detail: body.detail ?? null }
    return interventionDto(await services.interventions.answer(agentOf(principal), answer))
  },
})
