import Type, { type Static } from 'typebox'
import { anyObject, anyValue, duration, integer, list, object, optionalAll, text } from '../schema-parts.ts'

/** What a scripted provider answers: rules that are looked at in order, the first that fits is the answer. */

const tokens = (description: string) => integer({ description, minimum: 0, maximum: 10_000_000 })

const pattern = (description: string) =>
  text({ description, minLength: 1, maxLength: 1024, hint: 'a regular expression, case does not matter' })

const toolName = (description: string) =>
  text({
    description,
    minLength: 1,
    maxLength: 128,
    pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]*$',
    hint: 'write the name of a tool, for example http.call',
  })

const match = object(
  optionalAll({
    model: text({ description: 'The model that is asked.', minLength: 1, maxLength: 128 }),
    system: pattern('Found in the instructions.'),
    lastMessage: pattern('Found in the last message of the user.'),
    toolResult: object(
      {
        tool: toolName('The tool.'),
        ...optionalAll({ contains: pattern('Found in its result, as JSON.') }),
      },
      { description: 'The last message holds the result of a tool.' },
    ),
    turn: integer({ description: 'Which turn of the conversation it is, from 1.', minimum: 1, maximum: 1000 }),
  }),
  { description: 'When the rule fits: all of what is given. Nothing given fits always.', default: {} },
)

const toolCall = object(
  {
    tool: toolName('The tool.'),
    ...optionalAll({
      input: anyObject({
        description:
          'Its parameters. In a text, {{1}} stands for the first group that lastMessage found, {{result}} for the last result of a tool.',
      }),
    }),
  },
  { description: 'One call.' },
)

const usage = object(
  { inputTokens: tokens('Tokens of the prompt.'), outputTokens: tokens('Tokens of the answer.') },
  { description: 'What it says was used. Left out: a word counts as a token.' },
)

const reply = object(
  optionalAll({
    text: text({
      description:
        'What it says. {{1}} stands for the first group that lastMessage found, {{result}} for the last result of a tool.',
      maxLength: 65_536,
    }),
    object: anyValue({ description: 'Structured output: the same as its JSON as text.' }),
    toolCalls: list(toolCall, { description: 'Tools it calls.', minItems: 1, maxItems: 20 }),
    usage,
    reportsNoUsage: Type.Boolean({ description: 'It says nothing of what was used.', default: false }),
    delay: duration({ description: 'Time before it answers.', min: '0s', max: '10m' }),
    error: object(
      {
        status: integer({ description: 'The HTTP status that stands for it.', minimum: 400, maximum: 599 }),
        message: text({ description: 'What it says.', minLength: 1, maxLength: 1024 }),
      },
      { description: 'It fails.' },
    ),
    answeringModel: text({
      description: 'The model it says has answered, when that is another.',
      minLength: 1,
      maxLength: 128,
    }),
  }),
  { description: 'What it answers.' },
)

export const script = list(object({ ...optionalAll({ match }), reply }, { description: 'One rule.' }), {
  description: 'type scripted: what it answers. The first rule that fits counts; when none does, the call fails.',
  minItems: 1,
  maxItems: 200,
})

export type ScriptRule = Static<typeof script>[number]

export const SCRIPT_RULE = {
  rule: "(self.type == 'scripted') == has(self.script)",
  message: 'type scripted and script go together',
  hint: 'give script: [{reply: {text: …}}] with type: scripted, and only then',
} as const
