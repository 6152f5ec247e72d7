import Type from 'typebox'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, only, Uuid } from '../schemas.ts'
import { AgentParams, checkAgentName, Interventions, instanceOf, Scope, Usage, usageOf } from './own-agent.ts'

export const heartbeatAgent = route({
  operation: 'heartbeatAgent',
  method: 'POST',
  path: '/api/v1/agents/{agent}/heartbeat',
  aliases: ['/agents/{agent}/heartbeat'],
  tag: 'agents',
  access: 'agent.work',
  summary: 'Report that an instance lives',
  description:
    'Renews the leases of the tasks it names. `usage` counts from the start of the instance. `{agent}` is the uid, the `agentId` or the name of the agent.',
  idempotency: false,
  params: AgentParams,
  query: Scope,
  body: only(
    {
      instance_id: Uuid,
      status: Type.Enum(['idle', 'busy']),
      tasks: Type.Array(Uuid, { maxItems: 1000, default: [] }),
      usage: Type.Optional(Usage),
      cpu_percent: Type.Optional(Nullable(Type.Number({ minimum: 0, maximum: 100_000 }))),
      memory_bytes: Type.Optional(Nullable(Type.Integer({ minimum: 0, maximum: 2 ** 50 }))),
    },
    { title: 'HeartbeatRequest' },
  ),
  answers: {
    200: Type.Object(
      {
        interventions: Interventions,
        drain: Type.Boolean({ description: 'true: finish what is under way and take nothing more' }),
      },
      { title: 'Heartbeat' },
    ),
  },
  example: {
    params: { agent: 'sre' },
    body: { instance_id: SAMPLE.instance, status: 'busy', tasks: [SAMPLE.task] },
    answer: { interventions: [], drain: false },
  },
  async answer({ principal, params, query, body }, context) {
    const agent = instanceOf(principal, body.instance_id)
    await checkAgentName(context, agent, params.agent, query.namespace)
    return context.services.agents.heartbeat(agent, {
      status: body.status,
      tasks: body.tasks,
      usage: usageOf(body.usage),
      cpuPercent: body.cpu_percent ?? null,
      memoryBytes: body.memory_bytes ?? null,
    })
  },
})
