import { Count, type EventType, eventType } from './event-type.ts'

/** Events about what is kept. */
export const RECORD_EVENTS = {
  'stateward.log.partition.dropped': eventType(
    'Events were dropped because they were kept long enough; the hash chain over them stays.',
    { first_seq: Count, last_seq: Count },
  ),
} as const satisfies Record<string, EventType>
