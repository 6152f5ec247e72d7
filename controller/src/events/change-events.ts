import Type from 'typebox'
import { type EventType, eventType, orNull, Text } from './event-type.ts'

const Change = {
  kind: Text,
  namespace: Type.String({ description: 'empty for a kind without namespaces' }),
  name: Text,
  from: orNull(Type.String({ description: 'effective digest that is applied; null = it is created' })),
  to: orNull(Type.String({ description: 'effective digest that is wanted; null = it is deleted' })),
}
const Decision = {
  ...Change,
  source: Type.String({ description: 'api, cli, forge, commit or merge' }),
  proposal: orNull(Text),
  revision: orNull(Text),
  reason: orNull(Text),
}

/** Events about changes of objects that somebody has to agree to. */
export const CHANGE_EVENTS = {
  'stateward.change.held': eventType('A change waits for an approval, or a policy denies it.', {
    ...Change,
    action: Type.String({ description: 'create, update or delete' }),
    reason: Type.String({ description: 'ApprovalRequired, PolicyDenied or OutsideWindow' }),
    message: Text,
    revision: Text,
    approvers: Type.Array(Type.String(), { description: 'of whom one is asked; empty = of everybody who may' }),
  }),
  'stateward.change.approved': eventType('Somebody agreed to a change of an object.', Decision),
  'stateward.change.rejected': eventType('Somebody rejected a change of an object.', Decision),
} as const satisfies Record<string, EventType>
