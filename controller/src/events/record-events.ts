import { Count, type EventType, eventType, orNull, Text } from './event-type.ts'

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
  'stateward.artifact.stored': eventType('The bytes of an artifact were stored.', Artifact),
  'stateward.artifact.deleted': eventType('An artifact was deleted because it was kept long enough.', Artifact),
} as const satisfies Record<string, EventType>
