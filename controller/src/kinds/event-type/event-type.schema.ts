import type { Static } from 'typebox'
import { anyObject, commonFields, object, optionalAll, text } from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'

export const eventTypeSpec = object(
  {
    event: text({
      description: 'Name of the event: lower-case words with dots, not beginning with `stateward.`.',
      minLength: 3,
      maxLength: 200,
      pattern: '^[a-z][a-z0-9_-]*(\\.[a-z0-9_-]+)+$',
      hint: 'write lower-case words with dots, for example checkmk.alert',
    }),
    dataSchema: anyObject({
      description: 'JSON Schema the `data` of such an event has to fit; draft 7, or 2020-12 when `$schema` says so.',
    }),
    ...optionalAll({
      description: text({ description: 'What has happened when there is such an event.', maxLength: 4096 }),
      ...commonFields,
    }),
  },
  { description: 'A name of an event, and what such an event carries.' },
)

/** An EventType's spec as written. */
export type EventTypeSpec = Static<typeof eventTypeSpec>

export const eventTypeStatus = statusOf({})
