import Type from 'typebox'
import { type EventType, eventType, orNull, Text } from './event-type.ts'

const commit = Type.Optional(
  orNull(Type.String({ description: 'at refs/stateward/freeze; null when the freeze was not asked for by it' })),
)

/** Events about the fleet as a whole. */
export const FLEET_EVENTS = {
  'stateward.fleet.frozen': eventType('Somebody halted the whole fleet: nothing new begins anywhere.', {
    reason: orNull(Text),
    commit,
  }),
  'stateward.fleet.unfrozen': eventType('Somebody let the fleet go on.', { reason: orNull(Text), commit }),
  'stateward.fleet.freeze.refused': eventType(
    'A commit at refs/stateward/freeze was not heeded, and is no longer there: nobody who may has signed it.',
    { commit: Text, signer: orNull(Text), message: Text },
  ),
} as const satisfies Record<string, EventType>
