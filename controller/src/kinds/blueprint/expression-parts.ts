import { IDENTIFIER_HINT, IDENTIFIER_PATTERN, text } from '../schema-parts.ts'

/** CEL texts and templates may be long, in characters. */
export const EXPRESSION = 4096

/** An event name, or a glob of them. */
export const EVENT_PATTERN = '^[a-z*][a-z0-9_*-]*(\\.[a-z0-9_*-]+)*$'
export const EVENT_HINT =
  "write an event name such as checkmk.alert: lower-case words joined by '.', '*' for any characters"

export const identifier = (description: string) =>
  text({ description, minLength: 1, maxLength: 63, pattern: IDENTIFIER_PATTERN, hint: IDENTIFIER_HINT })
