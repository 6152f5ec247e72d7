import Type from 'typebox'
import { type EventType, eventType, Id, orNull, Text } from './event-type.ts'

const Drift = {
  drift_id: Id,
  kind: Text,
  namespace: Type.String({ description: 'empty for a kind without namespaces' }),
  name: Text,
  source: Type.String({ description: 'what sees it: override, replicas, file, tool-schema, model' }),
  field: Text,
}

/** Events about live state that is not what Git says; `resource` is the kind and the uid of the object. */
export const DRIFT_EVENTS = {
  'stateward.drift.detected': eventType('Live state was found to be different from Git, with no commit about it.', {
    ...Drift,
    detail: Text,
  }),
  'stateward.drift.cleared': eventType('Live state and Git say the same again.', Drift),
  'stateward.drift.enforced': eventType('Somebody had live state put back to what Git says.', {
    ...Drift,
    reason: orNull(Text),
  }),
  'stateward.drift.adopted': eventType('Somebody had the live value proposed as a change of Git.', {
    ...Drift,
    reason: orNull(Text),
    branch: orNull(Text),
    commit: Text,
  }),
} as const satisfies Record<string, EventType>
