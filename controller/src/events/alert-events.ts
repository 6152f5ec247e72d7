import Type from 'typebox'
import { Count, type EventType, eventType, Id, Instant, orNull, Text } from './event-type.ts'

const Alert = {
  alert_id: Id,
  key: Text,
  rule: Text,
  namespace: Text,
  agent: orNull(Text),
  severity: Text,
  title: Text,
  message: Text,
  count: Count,
  note: orNull(Text),
}

const Breaker = {
  breaker: Type.String({ description: 'tool:<name> or agent:<name>' }),
  kind: Text,
  namespace: Text,
  name: Text,
  agent: Type.Optional(Text),
  reason: Text,
  probe_at: orNull(Instant),
}

/** Events about alerts, breakers and costs. */
export const ALERT_EVENTS = {
  'stateward.alert.raised': eventType('An alert was raised, or raised again: `count` says how often.', Alert),
  'stateward.alert.acknowledged': eventType('Somebody looks after an alert.', Alert),
  'stateward.alert.resolved': eventType('What an alert was about is over.', Alert),
  'stateward.breaker.opened': eventType('A tool or an agent is not used any more, for now.', Breaker),
  'stateward.breaker.half_opened': eventType('One call, or one task, is let through to try.', Breaker),
  'stateward.breaker.closed': eventType('A tool or an agent is used again.', Breaker),
  'stateward.cost.recorded': eventType('Something was spent.', {
    cost_id: Id,
    namespace: Text,
    project: orNull(Text),
    agent: orNull(Text),
    provider: orNull(Text),
    model: orNull(Text),
    task_id: orNull(Id),
    ticket: orNull(Text),
    amount_usd: Type.String({ description: 'decimal, at most nine decimals' }),
    input_tokens: Count,
    output_tokens: Count,
  }),
} as const satisfies Record<string, EventType>
