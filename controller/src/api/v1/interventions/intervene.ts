import type { TSchema } from 'typebox'
import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import type { JsonObject } from '../../../lib/json.ts'
import { type InterventionAction, interventionById } from '../../../store/queries/interventions.ts'
import type { Caller } from '../../caller.ts'
import type { ApiContext } from '../../context.ts'
import { route } from '../../http/route.ts'
import { AGENT_REFERENCE, findAgent } from '../find-agent.ts'
import { Name, NamespaceQuery, Nullable, only, Reference, Time } from '../schemas.ts'
import { Intervention, type InterventionDto, interventionDto, sampleIntervention } from './intervention-dto.ts'

const Reason = Type.String({ minLength: 1, maxLength: 1000, description: 'why; people and the agent read it' })
const Merge = Type.Boolean({ default: false, description: 'put the commit on the protected branch at once' })
const Lasting = {
  reason: Reason,
  expires_at: Type.Optional(
    Nullable({ ...Time, description: 'when it ends by itself; without it, it holds until it is resumed or merged' }),
  ),
  merge: Merge,
}
const Target = { params: Type.Object({ agent: Reference }), query: only(NamespaceQuery) }
const SAYS = `Counts from the answer on, in every process; the same follows as a proposed commit. ${AGENT_REFERENCE}`

const paths = (action: InterventionAction) => ({
  method: 'POST' as const,
  path: `/api/v1/agents/{agent}/${action}` as const,
  aliases: [`/agents/{agent}/${action}`] as const,
  tag: 'interventions',
  access: 'objects.intervene' as const,
  answers: { 202: Intervention as TSchema as typeof Intervention },
})

interface Asked {
  readonly agent: string
  readonly namespace: string | undefined
  readonly action: InterventionAction
  readonly params: JsonObject
  readonly reason: string
  readonly expires_at?: string | null | undefined
  readonly merge: boolean
}

async function intervene(asked: Asked, caller: Caller, context: ApiContext): Promise<InterventionDto> {
  const agent = await findAgent(context.store.reader, asked.agent, asked.namespace)
  const expiresAt = asked.expires_at == null ? null : new Date(asked.expires_at)
  if (expiresAt !== null && expiresAt <= context.clock.now()) throw fail('SW_BAD_REQUEST', 'expires_at is in the past')
  const { action, params, reason, merge } = asked
  const request = { action, params, reason, expiresAt, merge }
  const { interventionId } = await context.services.interventions.intervene(agent, request, caller)
  return interventionDto((await interventionById(context.store.engine, interventionId))!)
}

export const pauseAgent = route({
  ...paths('pause'),
  ...Target,
  operation: 'pauseAgent',
  summary: 'Pause an agent',
  description: `It gets no task, nothing of it is started or stopped, and its processes are told. ${SAYS}`,
  body: only(Lasting, { title: 'PauseRequest' }),
  example: {
    params: { agent: 'sre' },
    body: { reason: 'it restarts what it should not' },
    answer: sampleIntervention,
  },
  answer: ({ params, query, body, caller }, context) =>
    intervene({ ...params, ...body, namespace: query.namespace, action: 'pause', params: {} }, caller, context),
})

export const terminateAgent = route({
  ...paths('terminate'),
  ...Target,
  operation: 'terminateAgent',
  summary: 'Terminate an agent',
  description: `Its processes get TERM now and KILL after the grace period, their tasks go back to the queue, and nothing of it starts until it is resumed. ${SAYS}`,
  body: only(Lasting, { title: 'TerminateRequest' }),
  example: {
    params: { agent: 'sre' },
    body: { reason: 'compromised' },
    answer: {
      ...sampleIntervention,
      action: 'terminate',
      params: { replicas: 1 },
      reason: 'compromised',
      branch: 'proposals/terminate-agent-sre',
    },
  },
  answer: ({ params, query, body, caller }, context) =>
    intervene({ ...params, ...body, namespace: query.namespace, action: 'terminate', params: {} }, caller, context),
})

export const resumeAgent = route({
  ...paths('resume'),
  ...Target,
  operation: 'resumeAgent',
  summary: 'Resume an agent',
  description: `Takes back everything that was set at once: a pause, a termination, constraints. 409 when there is nothing to take back. ${SAYS}`,
  body: only(
    { reason: { ...Reason, default: 'resumed' } as typeof Reason, merge: Merge },
    { title: 'ResumeAgentRequest' },
  ),
  example: {
    params: { agent: 'sre' },
    body: { reason: 'fixed' },
    answer: {
      ...sampleIntervention,
      action: 'resume',
      reason: 'fixed',
      in_force: false,
      branch: null,
      commit: null,
    },
  },
  answer: ({ params, query, body, caller }, context) =>
    intervene({ ...params, ...body, namespace: query.namespace, action: 'resume', params: {} }, caller, context),
})

export const redirectAgent = route({
  ...paths('redirect'),
  ...Target,
  operation: 'redirectAgent',
  summary: 'Redirect an agent: its waiting tasks, or what it works towards',
  description: `\`to\`: its waiting tasks go to another agent of its namespace, \`params.tasks\` says how many; what it works on stays with it. \`goal\`: its processes are told, and every task that it is given carries it, until it is resumed or redirected again. One of the two, or both. ${SAYS}`,
  body: only(
    {
      ...Lasting,
      to: Type.Optional({ ...Name, description: 'the agent that gets its tasks' } as typeof Name),
      goal: Type.Optional(
        Type.String({ minLength: 1, maxLength: 8192, description: 'what it is to work towards from now on' }),
      ),
    },
    { title: 'RedirectRequest' },
  ),
  example: {
    params: { agent: 'sre' },
    body: { reason: 'it is behind', to: 'sre-2' },
    answer: {
      ...sampleIntervention,
      action: 'redirect',
      params: { to: 'sre-2', tasks: 4 },
      reason: 'it is behind',
      in_force: false,
      branch: null,
      commit: null,
    },
  },
  answer: ({ params, query, body: { to, goal, ...lasting }, caller }, context) => {
    if (to === undefined && goal === undefined)
      throw fail('SW_BAD_REQUEST', 'say who gets its tasks (to), or what it is to work towards (goal)')
    if (goal === undefined && (lasting.merge || lasting.expires_at != null))
      throw fail('SW_BAD_REQUEST', 'tasks that changed hands do not come back by themselves, and no commit says so')
    const where = { ...(to === undefined ? {} : { to }), ...(goal === undefined ? {} : { goal }) }
    return intervene(
      { ...params, ...lasting, namespace: query.namespace, action: 'redirect', params: where },
      caller,
      context,
    )
  },
})

const Constraints = {
  tools: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 128, pattern: '^[A-Za-z0-9_.*-]+$' }), {
      maxItems: 100,
      uniqueItems: true,
      description: 'the tools it may use, with * as wildcard; told to it with each task',
    }),
  ),
  max_tasks: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 10_000, description: 'tasks it has at once, all instances together' }),
  ),
  tasks_per_minute: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 100_000, description: 'tasks it is given in any 60 seconds' }),
  ),
}

export const constrainAgent = route({
  ...paths('constrain'),
  ...Target,
  operation: 'constrainAgent',
  summary: 'Constrain an agent',
  description: `Limits its tools, its tasks or their rate. What is left out stays as it is. ${SAYS}`,
  body: only({ ...Lasting, ...Constraints }, { title: 'ConstrainRequest', minProperties: 2 }),
  example: {
    params: { agent: 'sre' },
    body: { reason: 'on probation', max_tasks: 1, tools: ['http.*'] },
    answer: {
      ...sampleIntervention,
      action: 'constrain',
      params: { constraints: { maxTasks: 1, tools: ['http.*'] } },
      reason: 'on probation',
      branch: 'proposals/constrain-agent-sre',
    },
  },
  async answer({ params, query, body, caller }, context) {
    const { tools, max_tasks: maxTasks, tasks_per_minute: tasksPerMinute, ...rest } = body
    const constraints: JsonObject = {
      ...(tools === undefined ? {} : { tools }),
      ...(maxTasks === undefined ? {} : { maxTasks }),
      ...(tasksPerMinute === undefined ? {} : { tasksPerMinute }),
    }
    if (Object.keys(constraints).length === 0)
      throw fail('SW_BAD_REQUEST', 'say what to limit: tools, max_tasks or tasks_per_minute')
    const asked = { ...params, ...rest, namespace: query.namespace, action: 'constrain' as const }
    return intervene({ ...asked, params: { constraints } }, caller, context)
  },
})
