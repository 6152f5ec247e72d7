import Type from 'typebox'
import { Count, type EventType, eventType, Id, orNull, Text } from './event-type.ts'

const call = {
  call_id: Id,
  provider: Type.String({ description: 'the ModelProvider' }),
  provider_type: Type.String({ description: '`scripted` = the rules of its document answered, no model' }),
  class: Type.Enum(['local', 'cloud']),
  model_asked: Text,
  model_answered: orNull(Type.String({ description: 'null = it did not say' })),
  input_tokens: orNull(Count),
  output_tokens: orNull(Count),
  usage: orNull(
    Type.Enum(['reported', 'unknown'], { description: 'unknown = it did not say: what was kept for the call counts' }),
  ),
  cost_usd: Text,
  latency_ms: orNull(Count),
  agent: orNull(Text),
  task_id: orNull(Id),
  turn: orNull(Count),
  step: orNull(Text),
  route: orNull(Text),
  rule: orNull(Text),
  complexity: Text,
  place: Type.Integer({ minimum: 1, description: 'which of the backends of the request it was' }),
}

/** Events about models. */
export const MODEL_EVENTS = {
  'stateward.model.call.completed': eventType('A model answered.', { ...call, finish_reason: orNull(Text) }),
  'stateward.model.call.failed': eventType('A model did not answer; the next backend of the request is asked.', {
    ...call,
    cause: orNull(Text),
    problem: orNull(Text),
  }),
  'stateward.model.target.missed': eventType('Fewer calls of a route were local than its target says.', {
    namespace: Text,
    route: Text,
    message: Text,
  }),
  'stateward.model.target.met': eventType('As many calls of a route are local again as its target says.', {
    namespace: Text,
    route: Text,
  }),
} as const satisfies Record<string, EventType>
