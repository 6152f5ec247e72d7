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
    undoable: Type.Boolean({ description: 'tool.undo takes a call of it back' }),
    reaches_out: Type.Boolean({ description: 'denied where the environment lets nothing out' }),
    trusted: Type.Boolean({ description: 'its program is run as it is, not confined' }),
    rate_limit: Nullable(Type.Object({ calls: Type.Integer(), per: Type.String() })),
    redact: Type.Array(Type.String(), { description: 'parts of the result that nobody gets to see' }),
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
    undoable: tool.isUndoable === true,
    reaches_out: tool.reachesOut,
    trusted: tool.isTrusted,
    rate_limit: tool.rateLimit,
    redact: [...tool.redact],
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
  undoable: false,
  reaches_out: true,
  trusted: true,
  rate_limit: null,
  redact: [],
  timeout_ms: 60_000,
  estimated_cost_cents: 0,
  estimated_latency_ms: 500,
  input_schema: { type: 'object', required: ['url'] },
  output_schema: null,
}
