import Type, { type Static } from 'typebox'
import type { Capability } from '../../../tools/ports.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, NamespaceQuery, Nullable, only } from '../schemas.ts'

const Skill = Type.Object(
  {
    skill_id: Type.String(),
    aliases: Type.Array(Type.String()),
    description: Type.String(),
    builtin: Type.Boolean(),
    rehearsal: Type.Boolean({ description: 'it only says what it would do' }),
    input_schema: JsonMap,
    output_schema: Nullable(JsonMap),
    risk: Type.Enum(['low', 'medium', 'high']),
    side_effects: Type.Enum(['none', 'reversible', 'irreversible']),
    idempotent: Type.Boolean(),
    timeout_ms: Type.Integer(),
    estimated_cost_cents: Nullable(Type.Integer({ description: 'null: it declares none' })),
    estimated_latency_ms: Nullable(Type.Integer()),
  },
  { title: 'Skill' },
)

const sampleSkill: Static<typeof Skill> = {
  skill_id: 'http.call',
  aliases: ['http_call'],
  description: 'Sends one HTTP request.',
  builtin: true,
  rehearsal: false,
  input_schema: { type: 'object', required: ['url'] },
  output_schema: null,
  risk: 'medium',
  side_effects: 'irreversible',
  idempotent: false,
  timeout_ms: 30_000,
  estimated_cost_cents: 0,
  estimated_latency_ms: 500,
}

function skillDto(tool: Capability): Static<typeof Skill> {
  return {
    skill_id: tool.name,
    aliases: [...tool.aliases],
    description: tool.description,
    builtin: tool.isBuiltin,
    rehearsal: tool.isRehearsal,
    input_schema: tool.inputSchema,
    output_schema: tool.outputSchema,
    risk: tool.risk,
    side_effects: tool.sideEffects,
    idempotent: tool.idempotent,
    timeout_ms: tool.timeoutMs,
    estimated_cost_cents: tool.estimatedCents ?? null,
    estimated_latency_ms: tool.estimatedLatencyMs ?? null,
  }
}

export const readCapabilities = route({
  operation: 'readCapabilities',
  method: 'GET',
  path: '/api/v1/runtime/capabilities',
  tag: 'runtime',
  access: 'read',
  summary: 'List what plans can call, with what it costs',
  description: 'Built-in and declared tools of a namespace, as simulations and runs know them at this moment.',
  query: only(NamespaceQuery),
  answers: {
    200: Type.Object(
      {
        skills: Type.Array(Skill),
        limits: Type.Object(
          {
            requests_per_second: Type.Integer({ description: 'of one principal; 0 = any number' }),
            total_requests_per_second: Type.Integer(),
          },
          { description: 'what the API takes' },
        ),
        correlation_id: Type.String(),
      },
      { title: 'Capabilities' },
    ),
  },
  example: {
    answer: {
      skills: [sampleSkill],
      limits: { requests_per_second: 100, total_requests_per_second: 1000 },
      correlation_id: SAMPLE.correlation,
    },
  },
  answer: async ({ query, correlationId }, { services, rateLimits }) => ({
    skills: services.views.capabilities(query.namespace ?? 'default').map(skillDto),
    limits: {
      requests_per_second: rateLimits?.perPrincipal ?? 0,
      total_requests_per_second: rateLimits?.total ?? 0,
    },
    correlation_id: correlationId,
  }),
})
