import type { Static } from 'typebox'
import {
  anyObject,
  anyValue,
  argv,
  choice,
  commonFields,
  duration,
  flag,
  IDENTIFIER_HINT,
  IDENTIFIER_PATTERN,
  list,
  localRef,
  object,
  objectName,
  optionalAll,
  text,
} from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'
import { KEYWORDS } from '../vocabulary.ts'

const input = object(
  {
    name: text({
      description: 'Name of the input: inputs.<name> in expressions.',
      pattern: IDENTIFIER_PATTERN,
      maxLength: 63,
      hint: IDENTIFIER_HINT,
    }),
    ...optionalAll({
      description: text({ description: 'What it means.', maxLength: 4096 }),
      schema: anyObject({ description: 'JSON Schema the value has to fit.' }),
      required: flag({
        description: 'Whether the operation is refused without it, and without a default.',
        default: false,
      }),
      default: anyValue({ description: 'The value when none is given.' }),
    }),
  },
  { description: 'One input.' },
)

const call = object(
  {
    action: objectName('Name of the tool.'),
    ...optionalAll({ with: anyObject({ description: 'Template of the parameters of the tool.' }) }),
  },
  { description: 'The operation is one call of a tool.' },
)

export const operationSpec = object(
  optionalAll({
    description: text({ description: 'What it is for.', maxLength: 4096 }),
    command: argv(
      'The operation is a program: the program and its arguments, each one word that no shell reads. A word may be a template of the inputs.',
    ),
    call,
    blueprintRef: localRef('The operation is a run of this blueprint, with the inputs that one takes.'),
    inputs: list(input, {
      description: 'What somebody who runs it may give. Only with command or call.',
      maxItems: 50,
      unique: ['name'],
    }),
    timeout: duration({
      description: 'Time after which it has failed. Left out: 5m; of a blueprint, its own limit counts.',
      min: '1s',
      max: '24h',
    }),
    role: choice(['operator', 'admin'], {
      description: 'Who may run it: whoever may do all that this role may.',
      default: 'operator',
    }),
    ...commonFields,
  }),
  {
    description: 'An operation as it is wanted.',
    [KEYWORDS.exactlyOne]: ['command', 'call', 'blueprintRef'],
    [KEYWORDS.rules]: [
      {
        rule: '!has(self.blueprintRef) || (!has(self.inputs) && !has(self.timeout))',
        message: 'inputs and timeout are those of the blueprint',
        hint: 'declare them in the blueprint, or give command or call instead',
      },
    ],
  },
)

/** An Operation's spec as written. */
export type OperationSpec = Static<typeof operationSpec>

export const operationStatus = statusOf({})
