import Type from 'typebox'
import { list, object, text } from '../schema-parts.ts'

const receiverName = (what: string) =>
  text({
    description: what,
    minLength: 1,
    maxLength: 63,
    pattern: '^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$',
    hint: "use lower-case letters, digits, '-', '_' and '.'",
  })
/** Which messages reach an agent. */
export const messages = object(
  {
    roles: Type.Optional(
      list(receiverName('One word, for example on-call.'), {
        description: 'What it is to others: messages to one of these roles reach it.',
        maxItems: 32,
        unique: 'set',
      }),
    ),
    topics: Type.Optional(
      list(receiverName('One word, for example deploys.'), {
        description: 'What it follows: messages to one of these topics reach it, from then on.',
        maxItems: 64,
        unique: 'set',
      }),
    ),
  },
  { description: 'Which messages reach it besides those to its own name.' },
)
