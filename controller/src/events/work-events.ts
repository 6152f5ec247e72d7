import Type from 'typebox'
import { AnyMap, type EventType, eventType, Id, orNull, Text } from './event-type.ts'

const Item = {
  namespace: Text,
  name: Text,
  type: Text,
  title: Text,
  state: Text,
  project: orNull(Text),
  assignee: orNull(Text),
  agent: orNull(Type.String({ description: 'the agent it is assigned to' })),
}
const Edge = { relation: Text, to_kind: Text, to_id: Id, to: Text }

/** Events about items of the work graph; `resource` is the item. */
export const WORK_EVENTS = {
  'stateward.work.created': eventType('An item of the work graph was made.', {
    ...Item,
    parent: orNull(Text),
    description: Text,
    priority: Type.Integer(),
    required_capabilities: Type.Array(Text),
    fields: AnyMap,
  }),
  'stateward.work.changed': eventType('What an item says was changed; only what is new is here.', {
    ...Item,
    changed: AnyMap,
  }),
  'stateward.work.moved': eventType('An item moved from one state to another.', {
    ...Item,
    from: Text,
    to: Text,
    reason: orNull(Text),
  }),
  'stateward.work.assigned': eventType('An item was given to somebody, or taken from them.', {
    ...Item,
    from: orNull(Text),
    capabilities: Type.Array(Type.String({ description: 'by which it was chosen' })),
  }),
  'stateward.work.linked': eventType('An item was related to another, or to a run.', { ...Item, ...Edge }),
  'stateward.work.unlinked': eventType('An item is not related to another any more.', { ...Item, ...Edge }),
} as const satisfies Record<string, EventType>
