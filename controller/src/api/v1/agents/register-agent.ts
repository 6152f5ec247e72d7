import Type from 'typebox'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, only, Uuid } from '../schemas.ts'
import { instanceOf } from './own-agent.ts'

export const registerAgent = route({
  operation: 'registerAgent',
  method: 'POST',
  path: '/api/v1/agents/register',
  tag: 'agents',
  access: 'agent.work',
  summary: 'Register an instance',
  description: 'The first call of an agent process. The same again changes nothing.',
  idempotency: false,
  body: only({ instance_id: Uuid, protocol: Type.Literal(1) }, { title: 'RegisterAgentRequest' }),
  answers: {
    200: Type.Object(
      {
        agent_id: Type.String(),
        heartbeat_seconds: Type.Number(),
        spec: Type.Unsafe<object>({ ...JsonMap, description: 'the effective spec of the agent' }),
      },
      { title: 'RegisteredAgent' },
    ),
  },
  example: {
    body: { instance_id: SAMPLE.instance, protocol: 1 },
    answer: { agent_id: SAMPLE.agent, heartbeat_seconds: 30, spec: { runtime: 'process' } },
  },
  answer: ({ principal, body }, { services }) => services.agents.register(instanceOf(principal, body.instance_id)),
})
