import Type, { type Static } from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import type { JsonObject } from '../../../lib/json.ts'
import { formatUsd, parseUsd, USD_PATTERN } from '../../../lib/usd.ts'
import { pageSpawnedAgents, type SpawnedAgentRow } from '../../../store/queries/spawned-agents.ts'
import type { Principal } from '../../auth/principal.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { findAgent } from '../find-agent.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { JsonMap, Name, NamespaceQuery, Nullable, only, PageQuery, pageOf, Reference, Time, Uuid } from '../schemas.ts'

const SpawnedAgent = Type.Object(
  {
    id: Uuid,
    name: Type.String(),
    namespace: Type.String(),
    of: Type.Object({ kind: Type.Enum(['AgentTemplate', 'Agent']), name: Type.String() }),
    lifetime: Type.Enum(['longLived', 'ephemeral']),
    owner: Type.String({ description: 'who spawned it' }),
    parent: Nullable(Type.String()),
    host: Type.String(),
    reason: Nullable(Type.String()),
    task_id: Nullable(Uuid),
    budget_usd: Nullable(Type.String()),
    deadline: Nullable(Time),
    created_at: Time,
    ended_at: Nullable(Time),
    end_reason: Nullable(
      Type.String({ description: 'task_ended, deadline, budget_exceeded, parent_gone, or ended: somebody ended it' }),
    ),
  },
  { title: 'SpawnedAgent' },
)

const sample: Static<typeof SpawnedAgent> = {
  id: SAMPLE.agent,
  name: 'engineer-k3q7zt',
  namespace: 'default',
  of: { kind: 'AgentTemplate', name: 'engineer' },
  lifetime: 'ephemeral',
  owner: 'user:ada',
  parent: 'sre',
  host: 'local',
  reason: 'one more pair of hands',
  task_id: SAMPLE.task,
  budget_usd: '0.50',
  deadline: SAMPLE.later,
  created_at: SAMPLE.time,
  ended_at: null,
  end_reason: null,
}

export const spawnAgent = route({
  operation: 'spawnAgent',
  method: 'POST',
  path: '/api/v1/agents/spawn',
  aliases: ['/agents/spawn'],
  tag: 'agents',
  access: 'agents.spawn',
  summary: 'Spawn an instance of a declared template or agent',
  description:
    'It runs until it is ended; an `ephemeral` one until its task or its time is over, its budget is spent or its parent is gone, and it is refused without a parent, a budget and a deadline. 409 `no_capacity` when no host has room. It is owned by whoever spawned it, and no commit removes it. An agent spawns ephemeral agents of its own.',
  body: only(
    {
      template: Type.Optional(Name),
      agent: Type.Optional(Name),
      namespace: Type.Optional(Name),
      lifetime: Type.Enum(['longLived', 'ephemeral'], { default: 'longLived' }),
      host: Type.Optional(Nullable(Type.String({ minLength: 1, maxLength: 253 }))),
      parent: Type.Optional(Nullable(Name)),
      budget_usd: Type.Optional(Nullable(Type.String({ maxLength: 20, pattern: USD_PATTERN }))),
      deadline: Type.Optional(Nullable(Time)),
      ttl_seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000, description: 'instead of deadline' })),
      reason: Type.Optional(Nullable(Type.String({ maxLength: 1000 }))),
      task: Type.Optional(
        Nullable(
          only({
            prompt: Type.String({ minLength: 1, maxLength: 16_384 }),
            inputs: Type.Optional(JsonMap),
            output_schema: Type.Optional(Nullable(JsonMap)),
            expected_rows: Type.Optional(
              Nullable(
                Type.Integer({
                  minimum: 0,
                  maximum: Number.MAX_SAFE_INTEGER,
                  description: 'from 100 on the agent is placed on a host of the database',
                }),
              ),
            ),
          }),
        ),
      ),
    },
    { title: 'SpawnRequest' },
  ),
  answers: { 202: SpawnedAgent },
  example: {
    body: {
      template: 'engineer',
      lifetime: 'ephemeral',
      parent: 'sre',
      budget_usd: '0.50',
      ttl_seconds: 600,
      task: { prompt: 'Read the logs of web-1' },
    },
    answer: sample,
  },
  async answer({ body, principal, caller }, { services, clock }) {
    if ((body.template === undefined) === (body.agent === undefined))
      throw invalid('template', 'say what it is an instance of: either template or agent')
    if (body.deadline != null && body.ttl_seconds !== undefined)
      throw invalid('ttl_seconds', 'either deadline or ttl_seconds')
    const own = principal.type === 'agent' ? principal : null
    const ttl = body.ttl_seconds
    const request = {
      namespace: body.namespace ?? own?.namespace ?? 'default',
      of:
        body.template === undefined
          ? { kind: 'Agent' as const, name: body.agent! }
          : { kind: 'AgentTemplate' as const, name: body.template },
      lifetime: body.lifetime,
      host: body.host ?? null,
      parent: body.parent ?? own?.agent ?? null,
      budgetNanoUsd: body.budget_usd == null ? null : Number(parseUsd(body.budget_usd)!),
      deadline:
        ttl === undefined ? (body.deadline ?? null) : new Date(clock.now().getTime() + ttl * 1000).toISOString(),
      reason: body.reason ?? null,
      task:
        body.task == null
          ? null
          : {
              prompt: body.task.prompt,
              // The body came as JSON, so its members are JSON.
              inputs: (body.task.inputs ?? {}) as JsonObject,
              outputSchema: (body.task.output_schema ?? null) as JsonObject | null,
              expectedRows: body.task.expected_rows ?? null,
            },
    }
    return spawnedDto(await services.spawning.spawn(request, selfOf(principal), caller))
  },
})

export const endAgent = route({
  operation: 'endAgent',
  method: 'POST',
  path: '/api/v1/agents/{agent}/end',
  aliases: ['/agents/{agent}/end'],
  tag: 'agents',
  access: 'agents.spawn',
  summary: 'End a spawned agent',
  description:
    'Its open tasks have failed. An agent may end those that it is the parent of. Declared agents go by a commit.',
  idempotency: false,
  params: Type.Object({ agent: Reference }),
  query: only(NamespaceQuery),
  answers: { 202: SpawnedAgent },
  example: {
    params: { agent: 'engineer-k3q7zt' },
    answer: { ...sample, ended_at: SAMPLE.later, end_reason: 'ended' },
  },
  async answer({ params, query, principal, caller }, context) {
    // An agent ends others than itself: who may be ended is looked at there.
    const { uid } = await findAgent(context.store.reader, params.agent, query.namespace)
    return spawnedDto(await context.services.spawning.end(uid, selfOf(principal), caller))
  },
})

export const listSpawnedAgents = route({
  operation: 'listSpawnedAgents',
  method: 'GET',
  path: '/api/v1/agents/spawned',
  aliases: ['/agents/spawned'],
  tag: 'agents',
  access: 'read',
  summary: 'List spawned agents, the newest first',
  query: only({
    ...PageQuery,
    ...NamespaceQuery,
    parent: Type.Optional(Name),
    live: Type.Optional(Type.Boolean({ description: 'true: only those that have not ended' })),
  }),
  answers: { 200: pageOf(SpawnedAgent) },
  example: { query: { live: true }, answer: samplePage(sample) },
  async answer({ query, correlationId }, { store }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
    const rows = await pageSpawnedAgents(store.reader, {
      namespace: query.namespace ?? null,
      parent: query.parent ?? null,
      live: query.live ?? null,
      after: position === null ? null : { createdAt: position[0], uid: position[1] },
      limit: query.limit + 1,
    })
    return pageBody(rows, { limit: query.limit, correlationId }, (row) => [row.created_at, row.uid], spawnedDto)
  },
})

function selfOf(principal: Principal): string | null {
  return principal.type === 'agent' ? `${principal.namespace}/${principal.agent}` : null
}

function invalid(path: string, message: string): Error {
  return fail('SW_VALIDATION_FAILED', message, {
    details: { violations: [{ path: `body/${path}`, message, keyword: 'oneOf' }] },
  })
}

function spawnedDto(row: SpawnedAgentRow): Static<typeof SpawnedAgent> {
  const { uid, of_kind, of_name, budget_nano_usd, deadline, created_at, ended_at, ...rest } = row
  return {
    ...rest,
    id: uid,
    of: { kind: of_kind, name: of_name },
    budget_usd: budget_nano_usd === null ? null : formatUsd(budget_nano_usd),
    deadline: deadline?.toISOString() ?? null,
    created_at: created_at.toISOString(),
    ended_at: ended_at?.toISOString() ?? null,
  }
}
