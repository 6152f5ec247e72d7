import { duration, integer, object } from './schema-parts.ts'

/** When a tool or an agent is broken off by itself. */
export const breakerSettings = object(
  {
    failures: integer({ description: 'How many have to fail in a row.', minimum: 1, maximum: 1000 }),
    cooldown: duration({ description: 'Time after which one is tried again.', min: '1s', max: '24h' }),
  },
  { description: 'When it is not used for a while because it keeps failing. Left out: only by hand.' },
)
