import { QUANTITY_PATTERN } from '../../lib/quantity.ts'
import { duration, integer, object, optionalAll, text } from '../schema-parts.ts'

/** How a daemon shows that it lives. */
export const heartbeatFields = {
  interval: duration({ description: 'How often a daemon reports.', default: '30s', min: '1s', max: '1h' }),
  timeout: duration({
    description: 'Silence after which a daemon counts as dead and is replaced.',
    default: '90s',
    min: '2s',
    max: '24h',
  }),
}

export const heartbeat = object(optionalAll(heartbeatFields), {
  description: 'How a daemon shows that it lives.',
  default: {},
})
export const slots = integer({
  description: "Slots of the host's capacity that one instance takes.",
  minimum: 1,
  maximum: 1000,
  default: 1,
})
export const memory = text({
  description: 'Memory that one instance takes of what its host has for agents.',
  maxLength: 20,
  pattern: QUANTITY_PATTERN,
  hint: 'a quantity such as 512Mi or 2Gi',
})
export const resources = object(optionalAll({ slots, memory }), {
  description: 'What one instance takes of its host.',
  default: {},
})
