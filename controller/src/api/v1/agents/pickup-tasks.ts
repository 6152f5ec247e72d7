import Type from 'typebox'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Nullable, only, Time, Uuid } from '../schemas.ts'
import { AgentParams, checkAgentName, Interventions, instanceOf, Scope } from './own-agent.ts'

const Task = Type.Object(
  {
    task_id: Uuid,
    attempt: Type.Integer(),
    run_id: Nullable(Uuid),
    step_id: Nullable(Uuid),
    prompt: Type.String(),
    inputs: JsonMap,
    output_schema: Nullable(JsonMap),
    workspace: Type.String(),
    deadline: Nullable(Time),
    correlation_id: Type.String(),
    tools: Nullable(
      Type.Array(Type.String(), { description: 'globs of the tools it may use; null = its agent is not constrained' }),
    ),
    data_access: Type.Enum(['bus', 'bulk'], {
      description: 'bulk: in the database itself, at STATEWARD_DATABASE_URL where its host has one',
    }),
    goal: Nullable(Type.String({ description: 'what its agent works towards for now, over what the prompt says' })),
  },
  { title: 'Task' },
)

export const pickupTasks = route({
  operation: 'pickupTasks',
  method: 'POST',
  path: '/api/v1/agents/{agent}/pickup',
  aliases: ['/agents/{agent}/pickup'],
  tag: 'agents',
  access: 'agent.work',
  summary: 'Take tasks, waiting for one if there is none',
  description: '204 when none came in time. `{agent}` is the uid, the `agentId` or the name of the agent.',
  idempotency: false,
  params: AgentParams,
  query: Scope,
  body: only(
    {
      instance_id: Uuid,
      max: Type.Integer({ minimum: 1, maximum: 100, default: 1 }),
      wait_seconds: Type.Number({ minimum: 0, maximum: 30, default: 0 }),
    },
    { title: 'PickupRequest' },
  ),
  answers: {
    200: Type.Object({ interventions: Interventions, tasks: Type.Array(Task) }, { title: 'Pickup' }),
    204: Type.Null(),
  },
  example: {
    params: { agent: 'sre' },
    body: { instance_id: SAMPLE.instance, max: 1, wait_seconds: 30 },
    answer: {
      interventions: [],
      tasks: [
        {
          task_id: SAMPLE.task,
          attempt: 1,
          run_id: SAMPLE.run,
          step_id: SAMPLE.step,
          prompt: 'Why is nginx down on web-1?',
          inputs: { host: 'web-1' },
          output_schema: null,
          workspace: '/srv/stateward/workspaces/sre/01983a4e',
          deadline: null,
          correlation_id: SAMPLE.correlation,
          tools: null,
          data_access: 'bus',
          goal: null,
        },
      ],
    },
  },
  async answer({ principal, params, query, body, signal, status }, context) {
    const agent = instanceOf(principal, body.instance_id)
    await checkAgentName(context, agent, params.agent, query.namespace)
    const { max, wait_seconds: seconds } = body
    const found = await context.services.agents.pickup(agent, { max, waitMs: seconds * 1000, signal })
    if (found.interventions.length > 0 || found.tasks.length > 0) return found
    status(204)
    return null
  },
})
