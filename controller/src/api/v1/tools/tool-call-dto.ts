import Type, { type Static } from 'typebox'
import { TOOL_CALL_STATES, type ToolCallRow } from '../../../store/queries/tool-calls.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Nullable, Time, Uuid } from '../schemas.ts'

export const ToolCall = Type.Object(
  {
    id: Uuid,
    tool: Type.String(),
    namespace: Type.String(),
    actor: Type.String(),
    agent: Nullable(Type.String({ description: 'the agent whose capabilities limit it' })),
    run_id: Nullable(Uuid),
    step: Nullable(Type.String()),
    turn: Nullable(Type.Integer({ description: "of a model's loop" })),
    state: Type.Enum([...TOOL_CALL_STATES], {
      description:
        'unknown: its process went away, and nobody knows whether the tool took effect; while it has no end, a person may say what became of it',
    }),
    risk: Type.Enum(['low', 'medium', 'high']),
    side_effects: Type.Enum(['none', 'reversible', 'irreversible']),
    input: JsonMap,
    output: Type.Unknown({ description: 'null unless it succeeded' }),
    error: Nullable(
      Type.Unsafe<object>({ ...JsonMap, description: '{code, ref, message, remedy, retryable, details?}' }),
    ),
    log: Type.Array(Type.String()),
    asked_by: Nullable(Type.String({ description: 'who asks for approvals, and why' })),
    approvals: Type.Array(JsonMap, { description: 'what is asked for: {min, fromAnyOf}, all of them' }),
    approved_by: Type.Array(Type.String()),
    correlation_id: Type.String(),
    quarantined_at: Nullable({
      ...Time,
      description: 'since when nobody knows what became of it; null = that was never so',
    }),
    created_at: Time,
    ended_at: Nullable(Time),
  },
  { title: 'ToolCall' },
)

export function toolCallDto(row: ToolCallRow): Static<typeof ToolCall> {
  return {
    id: row.id,
    tool: row.tool,
    namespace: row.namespace,
    actor: row.actor,
    agent: row.agent,
    run_id: row.run_id,
    step: row.step,
    turn: row.turn,
    state: row.state,
    risk: row.risk,
    side_effects: row.side_effects,
    input: row.input,
    output: row.output,
    error: row.error,
    log: [...row.log],
    asked_by: row.asked_by,
    approvals: [...row.approvals],
    approved_by: [...row.approved_by],
    correlation_id: row.correlation_id,
    quarantined_at: row.quarantined_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    ended_at: row.ended_at?.toISOString() ?? null,
  }
}

export const sampleToolCall: Static<typeof ToolCall> = {
  id: '01983a52-7c11-7a22-9b33-4c5d6e7f8a90',
  tool: 'fs.read',
  namespace: 'default',
  actor: 'user:ada',
  agent: null,
  run_id: null,
  step: null,
  turn: null,
  state: 'succeeded',
  risk: 'low',
  side_effects: 'none',
  input: { path: 'notes.txt' },
  output: { path: 'notes.txt', content: 'hello\n', bytes: 6 },
  error: null,
  log: [],
  asked_by: null,
  approvals: [],
  approved_by: [],
  correlation_id: SAMPLE.correlation,
  quarantined_at: null,
  created_at: SAMPLE.time,
  ended_at: SAMPLE.later,
}
