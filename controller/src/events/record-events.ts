import Type from 'typebox'
import { AnyMap, Count, type EventType, eventType, orNull, Text } from './event-type.ts'

const Artifact = {
  name: Text,
  kind: Text,
  content_type: Text,
  byte_length: orNull(Count),
  sha256: orNull(Text),
}

/** Events about what is kept. */
export const RECORD_EVENTS = {
  'stateward.log.partition.dropped': eventType(
    'Events were dropped because they were kept long enough; the hash chain over them stays.',
    { first_seq: Count, last_seq: Count },
  ),
  'stateward.footprint.rollup.created': eventType('The footprints of a day were summed up.', {
    day: Text,
    rows: Count,
  }),
  'stateward.impression.recorded': eventType('Somebody labelled a run, a step or an environment.', {
    label: Text,
    value: Type.Unknown(),
    basis: AnyMap,
  }),
  'stateward.artifact.stored': eventType('The bytes of an artifact were stored.', Artifact),
  'stateward.artifact.deleted': eventType('An artifact was deleted because it was kept long enough.', Artifact),
} as const satisfies Record<string, EventType>
