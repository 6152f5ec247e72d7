import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import type { JsonObject } from '../../../lib/json.ts'
import type { Caller } from '../../caller.ts'
import type { ApiContext } from '../../context.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Name, Nullable, only, Uuid } from '../schemas.ts'
import { agentOf, instanceOf } from './own-agent.ts'

const spec = Type.Unsafe<object>({ ...JsonMap, description: 'the effective spec of the agent' })

const Registered = { agent_id: Type.String(), heartbeat_seconds: Type.Number(), spec }

const RegisterRequest = only(
  {
    protocol: Type.Literal(1),
    instance_id: Type.Optional(
      Type.String({ format: 'uuid', description: 'of an instance with its own token; or what a process was before' }),
    ),
    agent: Type.Optional(Name),
    namespace: Type.Optional(Name),
    host: Type.Optional(Nullable(Type.String({ minLength: 1, maxLength: 200, pattern: '^[A-Za-z0-9._:-]+$' }))),
    display_name: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    description: Type.Optional(Type.String({ maxLength: 4096 })),
    capabilities: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 63 }), { maxItems: 50 })),
  },
  { title: 'RegisterAgentRequest' },
)

export const registerAgent = route({
  operation: 'registerAgent',
  method: 'POST',
  path: '/api/v1/agents/register',
  aliases: ['/agents/register'],
  tag: 'agents',
  access: 'agents.register',
  summary: 'Register an instance, or bind a process to an agent',
  description:
    'With the token of an instance and its `instance_id`: the first call of a process that was started here; the same again changes nothing (200). With an API key and the name of an `agent` that is declared with `runtime: external`: binds the process to it and answers with the token of its instance (201; 200 and a new token when `instance_id` names the instance it was before). When no such agent is declared and the environment says `registration: {allowUndeclared: true}`: proposes one (202), and the process asks again once that is merged. `host`, `display_name`, `description` and `capabilities` are what the process says of itself.',
  idempotency: false,
  body: RegisterRequest,
  answers: {
    200: Type.Object(
      {
        ...Registered,
        instance_id: Type.Optional(Uuid),
        token: Type.Optional(Type.String({ description: 'shown here and nowhere else' })),
      },
      { title: 'RegisteredAgent' },
    ),
    201: Type.Object({ ...Registered, instance_id: Uuid, token: Type.String() }, { title: 'BoundAgent' }),
    202: Type.Object(
      { proposal: Type.Object({ branch: Nullable(Type.String()), commit: Type.String(), reused: Type.Boolean() }) },
      { title: 'ProposedRegistration' },
    ),
  },
  example: {
    body: { instance_id: SAMPLE.instance, protocol: 1 },
    answer: { agent_id: SAMPLE.agent, heartbeat_seconds: 30, spec: { runtime: 'process' } },
  },
  async answer({ principal, caller, body, status }, context) {
    if (principal.type === 'agent' || body.agent === undefined) {
      if (body.instance_id === undefined)
        throw fail('SW_VALIDATION_FAILED', 'say which instance: instance_id', {
          details: { violations: [{ path: 'body/instance_id', message: 'is required', keyword: 'required' }] },
        })
      return context.services.agents.register(instanceOf(agentOf(principal), body.instance_id))
    }
    const answered = await bind(context, { ...body, agent: body.agent }, caller)
    if ('proposal' in answered) {
      status(202)
      const { branch, commit, reused } = answered.proposal
      return { proposal: { branch, commit, reused } }
    }
    const { isNew, ...bound } = answered
    if (isNew) status(201)
    return bound
  },
})

function bind(
  { services }: ApiContext,
  body: {
    readonly agent: string
    readonly namespace?: string
    readonly instance_id?: string
    readonly host?: string | null
    readonly display_name?: string
    readonly description?: string
    readonly capabilities?: readonly string[]
  },
  caller: Caller,
) {
  const said = { displayName: body.display_name, description: body.description, capabilities: body.capabilities }
  const spec = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as JsonObject
  return services.agents.bind(
    {
      namespace: body.namespace ?? 'default',
      agent: body.agent,
      instanceId: body.instance_id ?? null,
      host: body.host ?? null,
      spec,
    },
    caller,
  )
}

export const deregisterAgent = route({
  operation: 'deregisterAgent',
  method: 'POST',
  path: '/api/v1/agents/deregister',
  aliases: ['/agents/deregister'],
  tag: 'agents',
  access: 'agent.work',
  summary: 'Say that a process that registered itself ends',
  description: 'Its tasks go to others at once, and its token is worth nothing from then on.',
  idempotency: false,
  body: only({ instance_id: Uuid }, { title: 'DeregisterAgentRequest' }),
  answers: { 204: Type.Null() },
  example: { body: { instance_id: SAMPLE.instance } },
  async answer({ principal, body, status }, { services }) {
    await services.agents.unbind(instanceOf(principal, body.instance_id))
    status(204)
    return null
  },
})
