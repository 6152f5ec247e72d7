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
  effect: Type.Optional(Type.String({ description: 'pause, throttle, terminate, notify' })),
  declared_by: Type.Optional(orNull(Type.String({ description: 'the Breaker that opened it' }))),
}

const Usd = Type.String({ description: 'decimal, at most nine decimals' })
const Budget = {
  account: Type.String({ description: 'Budget/<uid>, Run/<run id> or Spawned/<uid>' }),
  namespace: Text,
  budget: Text,
  scope: Type.Object({ kind: Text, name: Text }, { additionalProperties: false }),
  action: Text,
  max_usd: Usd,
  used_usd: Usd,
  reserved_usd: Usd,
  window_start: Instant,
}

/** Events about alerts, breakers, costs and budgets. */
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
    tool: orNull(Text),
    step: orNull(Text),
    usage: Type.String({ description: 'reported, declared, or unknown: then what was reserved counts' }),
    amount_usd: Usd,
    input_tokens: Count,
    output_tokens: Count,
  }),
  'stateward.budget.opened': eventType(
    'A budget limits spending from now on; what was spent in its window before counts.',
    Budget,
  ),
  'stateward.budget.changed': eventType('A budget was changed.', { ...Budget, before_usd: Usd }),
  'stateward.budget.closed': eventType('A budget limits nothing any more.', Budget),
  'stateward.budget.threshold_reached': eventType('More of a budget is used than one of its thresholds.', {
    ...Budget,
    percent: Count,
  }),
  'stateward.budget.exhausted': eventType(
    'A budget is used up, or has too little for what was asked for; told once until there is more.',
    {
      ...Budget,
      wanted_usd: orNull(Usd),
      waits: orNull(
        Type.Object(
          { run: Text, run_id: Id, step: orNull(Text) },
          { description: 'the first step that waits for it', additionalProperties: false },
        ),
      ),
    },
  ),
  'stateward.budget.eased': eventType('A budget that was used up has something left again.', {
    ...Budget,
    why: Type.String({ description: 'window: a new one began; more: it was raised, or something cost less' }),
  }),
} as const satisfies Record<string, EventType>
