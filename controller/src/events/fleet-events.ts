import { type EventType, eventType, orNull, Text } from './event-type.ts'

/** Events about the fleet as a whole. */
export const FLEET_EVENTS = {
  'stateward.fleet.frozen': eventType('Somebody halted the whole fleet: nothing new begins anywhere.', {
    reason: orNull(Text),
  }),
  'stateward.fleet.unfrozen': eventType('Somebody let the fleet go on.', { reason: orNull(Text) }),
} as const satisfies Record<string, EventType>
