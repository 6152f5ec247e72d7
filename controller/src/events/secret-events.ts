import Type from 'typebox'
import { type EventType, eventType } from './event-type.ts'

/** Events about secrets; names only, never values. */
export const SECRET_EVENTS = {
  'stateward.secret.used': eventType(
    'A secret was handed to what names it. What belongs to a run is told each time, anything else at most every ten minutes.',
    {
      secret: Type.String({ description: '`<name>/<key>`, or its path' }),
      consumer: Type.String({ description: '`agent:default/sre`, `tool:default/deploy`, `webhook:default/github` …' }),
      provider: Type.String({ description: 'where it came from' }),
    },
  ),
  'stateward.secret.written': eventType('A secret was given a value.', {
    secret: Type.String({ description: '`<name>/<key>`, or its path' }),
    consumer: Type.String({ description: 'who wrote it: `tool:default/secret.put`' }),
    provider: Type.String({ description: 'where it is kept' }),
  }),
} as const satisfies Record<string, EventType>
