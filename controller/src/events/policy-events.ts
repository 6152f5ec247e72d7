import Type from 'typebox'
import { AnyMap, Count, type EventType, eventType, Id, orNull, Text } from './event-type.ts'

const Version = {
  namespace: Text,
  name: Text,
  version: Count,
  digest: Text,
  revision: Text,
}

/** Events about policies. */
export const POLICY_EVENTS = {
  'stateward.policy.activated': eventType(
    'A version of a policy is in force; the one before it is not any more.',
    Version,
  ),
  'stateward.policy.deprecated': eventType('A policy is no longer in force: its document was removed.', Version),
  'stateward.policy.evaluated': eventType('Policies denied something, or asked for approvals.', {
    decision_id: Id,
    point: Text,
    action: Text,
    effect: Type.String({ description: 'deny or require_approval' }),
    policy: orNull(Text),
    version: orNull(Count),
    rule: orNull(Text),
    reason: Text,
    namespace: Text,
    resource_type: Text,
    resource_name: Text,
  }),
  'stateward.treasury.allocated': eventType(
    'A treasury policy says how the amount of an event is meant to be split; nothing is paid by it.',
    {
      policy: Text,
      version: Count,
      rule: Text,
      event_id: Id,
      event_name: Text,
      amount_usd: orNull(Text),
      splits: Type.Array(AnyMap),
    },
  ),
} as const satisfies Record<string, EventType>
