import Type from 'typebox'
import { maxTokens, modelName, temperature } from '../model-provider/model-provider.schema.ts'
import {
  anyObject,
  choice,
  duration,
  integer,
  list,
  object,
  objectName,
  optionalAll,
  PATH_PATTERN,
  text,
  usd,
} from '../schema-parts.ts'

/** An agent that is a model: it answers tasks in turns, with tools between them. */

const prompt = 65_536

const modelFields = {
  provider: objectName('The ModelProvider it asks. Left out: as the route says.'),
  model: modelName('The model it asks. Left out: as the route says, else by how complex the task is.'),
  route: objectName('The ModelRoute that decides. Left out: the one named default.'),
  systemPrompt: text({ description: 'What it is told to be, before every task.', minLength: 1, maxLength: prompt }),
  systemPromptFrom: object(
    {
      path: text({
        description: 'The file.',
        minLength: 1,
        maxLength: 1024,
        pattern: PATH_PATTERN,
        hint: "write a path relative to the root of the state repo, without '..'",
      }),
    },
    { description: 'The same from a file of the state repo. A change of it is heeded from the next turn on.' },
  ),
  tools: list(
    text({
      description: 'A tool, or several with *: http.*',
      minLength: 1,
      maxLength: 128,
      pattern: '^[A-Za-z0-9_.*-]+$',
      hint: "use letters, digits, '.', '_', '-' and '*'",
    }),
    {
      description: 'The tools it is offered, as far as its capabilities and constraints go. Left out: none.',
      maxItems: 100,
      unique: 'set',
    },
  ),
  outputSchema: anyObject({
    description: 'JSON Schema its answers have to fit, unless the task brings one. Left out: {text}.',
  }),
  maxTokens: maxTokens('The longest answer of a turn, in tokens.'),
  maxTotalTokens: integer({
    description: 'Tokens a task may use in all; when they are used, no other turn begins.',
    minimum: 1,
    maximum: 1_000_000_000,
  }),
  temperature: temperature('How freely it answers. Left out: as the model says.'),
  maxUsd: usd({ description: 'US dollars a task may cost in all. No turn begins that may cost more than is left.' }),
  taskClass: text({
    description: 'What kind of work its tasks are, for the rules of routes.',
    minLength: 1,
    maxLength: 63,
    pattern: '^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$',
    hint: "use lower-case letters, digits, '-', '_' and '.'",
  }),
}

/** Those that have a value when nothing is said. */
const modelDefaults = {
  maxTurns: integer({
    description: 'Turns of a task: answers of the model. More fail it.',
    minimum: 1,
    maximum: 1000,
    default: 20,
  }),
  timeout: duration({
    description: 'Time a task may take, approvals of its calls included.',
    min: '1s',
    max: '30d',
    default: '30m',
  }),
  privacy: choice(['any', 'localOnly'], {
    description: 'Where its texts may go. localOnly: local providers alone.',
    default: 'any',
  }),
}

const description = 'The agent is a model: Stateward itself asks it, and calls the tools it wants.'

const modelAsWritten = object(optionalAll({ ...modelFields, ...modelDefaults }), { description })
export const modelMerged = object({ ...optionalAll(modelFields), ...modelDefaults }, { description })
export const optionalModel = Type.Optional(modelAsWritten)
