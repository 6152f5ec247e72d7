import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json } from '../../lib/json.ts'
import { objectsByUid } from '../../store/queries/objects-read.ts'
import type { AgentPrincipal } from '../auth/principal.ts'
import type { ApiContext } from '../context.ts'
import { requestSignal } from '../http/request-signal.ts'
import type { Api } from '../http/typed.ts'
import { errorResponses, JsonMap, NamespaceQuery, Nullable, Reference, Time, Uuid } from './schemas.ts'

const Task = Type.Object({
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
})
const Interventions = Type.Array(JsonMap)
const AgentParams = Type.Object({ agent: Reference })
const Scope = Type.Object(NamespaceQuery, { additionalProperties: false })

const RegisterRequest = Type.Object({ instance_id: Uuid, protocol: Type.Literal(1) }, { additionalProperties: false })
const HeartbeatRequest = Type.Object(
  {
    instance_id: Uuid,
    status: Type.Union([Type.Literal('idle'), Type.Literal('busy')]),
    tasks: Type.Array(Uuid, { maxItems: 1000, default: [] }),
  },
  { additionalProperties: false },
)
const PickupRequest = Type.Object(
  {
    instance_id: Uuid,
    max: Type.Integer({ minimum: 1, maximum: 100, default: 1 }),
    wait_seconds: Type.Number({ minimum: 0, maximum: 30, default: 0 }),
  },
  { additionalProperties: false },
)
const TaskResult = Type.Object(
  {
    attempt: Type.Integer({ minimum: 1 }),
    status: Type.Union([Type.Literal('completed'), Type.Literal('failed')]),
    output: Type.Optional(Type.Unknown()),
    error: Type.Optional(
      Nullable(
        Type.Object(
          {
            code: Type.String({ minLength: 1, maxLength: 100 }),
            message: Type.String({ maxLength: 8192 }),
            retryable: Type.Optional(Type.Boolean()),
          },
          { additionalProperties: false },
        ),
      ),
    ),
  },
  { additionalProperties: false },
)

/** The daemon protocol. `{agent}` is the agent's uid, its `agentId`, or its name; the token says which instance speaks. */
export function addAgentRoutes(app: Api, context: ApiContext): void {
  const { agents } = context.services
  const config = { access: 'agent' as const }
  app.post(
    '/api/v1/agents/register',
    {
      config,
      schema: {
        summary: 'Register an instance',
        body: RegisterRequest,
        response: {
          200: Type.Object({ agent_id: Type.String(), heartbeat_seconds: Type.Number(), spec: JsonMap }),
          ...errorResponses,
        },
      },
    },
    (request) => agents.register(instanceOf(request, request.body.instance_id)),
  )
  app.post(
    '/api/v1/agents/:agent/heartbeat',
    {
      config,
      schema: {
        summary: 'Report that an instance lives, and renew the leases of its tasks',
        params: AgentParams,
        querystring: Scope,
        body: HeartbeatRequest,
        response: { 200: Type.Object({ interventions: Interventions, drain: Type.Boolean() }), ...errorResponses },
      },
    },
    async (request) => {
      const agent = instanceOf(request, request.body.instance_id)
      await checkName(context, agent, request.params.agent, request.query.namespace)
      const { interventions, drain } = await agents.heartbeat(agent, {
        status: request.body.status,
        tasks: request.body.tasks,
      })
      return { interventions: [...interventions], drain }
    },
  )
  app.post(
    '/api/v1/agents/:agent/pickup',
    {
      config,
      schema: {
        summary: 'Take tasks, waiting for one if there is none',
        params: AgentParams,
        querystring: Scope,
        body: PickupRequest,
        response: {
          200: Type.Object({ interventions: Interventions, tasks: Type.Array(Task) }),
          204: Type.Null(),
          ...errorResponses,
        },
      },
    },
    async (request, reply) => {
      const agent = instanceOf(request, request.body.instance_id)
      await checkName(context, agent, request.params.agent, request.query.namespace)
      const signal = requestSignal(reply, context.stopping)
      const { max, wait_seconds: seconds } = request.body
      const { interventions, tasks } = await agents.pickup(agent, { max, waitMs: seconds * 1000, signal })
      if (interventions.length === 0 && tasks.length === 0) return reply.code(204).send(null)
      return reply.code(200).send({ interventions: [...interventions], tasks: [...tasks] })
    },
  )
  app.patch(
    '/api/v1/tasks/:task_id',
    {
      config,
      schema: {
        summary: 'Report the result of a task',
        params: Type.Object({ task_id: Uuid }),
        body: TaskResult,
        response: { 200: Type.Object({ task_id: Uuid, status: Type.String() }), ...errorResponses },
      },
    },
    (request) => {
      const { body } = request
      if (body.status === 'failed' && (body.error ?? null) === null) {
        throw fail('SW_VALIDATION_FAILED', 'a failed task says why: error {code, message, retryable}', {
          details: {
            violations: [{ path: 'body/error', message: 'is required when status is failed', keyword: 'required' }],
          },
        })
      }
      return agents.complete(agentOf(request), {
        taskId: request.params.task_id,
        attempt: body.attempt,
        status: body.status,
        // The body came as JSON, so its members are JSON.
        output: (body.output ?? null) as Json,
        error: body.error == null ? null : { ...body.error, retryable: body.error.retryable ?? false },
      })
    },
  )
}

function agentOf(request: FastifyRequest): AgentPrincipal {
  if (request.principal.type !== 'agent')
    throw fail('SW_FORBIDDEN', 'only a running instance of an agent may do this, with its own token')
  return request.principal
}

function instanceOf(request: FastifyRequest, instanceId: string): AgentPrincipal {
  const agent = agentOf(request)
  if (agent.instanceId !== instanceId)
    throw fail('SW_FORBIDDEN', `the token belongs to instance ${agent.instanceId}, not to ${instanceId}`)
  return agent
}

/** The path has to name the agent of the token. */
async function checkName(
  context: ApiContext,
  agent: AgentPrincipal,
  name: string,
  namespace: string | undefined,
): Promise<void> {
  if (name === agent.agentUid) return
  if (name === agent.agent && (namespace === undefined || namespace === agent.namespace)) return
  const [object] = await objectsByUid(context.store.reader, [agent.agentUid])
  if (object?.spec['agentId'] === name) return
  throw fail('SW_FORBIDDEN', `the token belongs to ${agent.name}`)
}
