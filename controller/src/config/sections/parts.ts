import { DURATION_PATTERN } from '../../lib/duration.ts'

export const optionalText = { anyOf: [{ type: 'string', minLength: 1 }, { type: 'null' }], default: null } as const
export const duration = { type: 'string', pattern: DURATION_PATTERN } as const
