import Type, { type Static } from 'typebox'
import type { Capability } from '../../../tools/ports.ts'
import { JsonMap, Nullable } from '../schemas.ts'

export const Tool = Type.Object(
  {
    name: Type.String(),
    aliases: Type.Array(Type.String()),
    description: Type.String(),
    builtin: Type.Boolean(),
    rehearsal: Type.Boolean({ description: 'it only says what it would do' }),
    permissions: Type.Array(Type.String(), { description: 'what the capabilities of an agent have to cover' }),
    risk: Type.Enum(['low', 'medium', 'high']),
    side_effects: Type.Enum(['none', 'reversible', 'irreversible']),
    idempotent: Type.Boolean(),
    timeout_ms: Type.Integer(),
    estimated_cost_cents: Nullable(Type.Integer({ description: 'null: it declares none' })),
    estimated_latency_ms: Nullable(Type.Integer()),
    input_schema: JsonMap,
    output_schema: Nullable(JsonMap),
  },
  { title: 'Tool' },
)

export function toolDto(tool: Capability): Static<typeof Tool> {
  return {
    name: tool.name,
    aliases: [...tool.aliases],
    description: tool.description,
    builtin: tool.isBuiltin,
    rehearsal: tool.isRehearsal,
    permissions: [...(tool.permissions ?? [])],
    risk: tool.risk,
    side_effects: tool.sideEffects,
    idempotent: tool.idempotent,
    timeout_ms: tool.timeoutMs,
    estimated_cost_cents: tool.estimatedCents ?? null,
    estimated_latency_ms: tool.estimatedLatencyMs ?? null,
    input_schema: tool.inputSchema,
    output_schema: tool.outputSchema,
  }
}

export const sampleTool: Static<typeof Tool> = {
  name: 'http.call',
  aliases: ['http_call'],
  description: 'Sends one HTTP request.',
  builtin: true,
  rehearsal: false,
  permissions: ['http.call'],
  risk: 'medium',
  side_effects: 'irreversible',
  idempotent: false,
  timeout_ms: 60_000,
  estimated_cost_cents: 0,
  estimated_latency_ms: 500,
  input_schema: { type: 'object', required: ['url'] },
  output_schema: null,
}
