import Type, { type Static } from 'typebox'
import { breakerSettings } from '../breaker-settings.ts'
import {
  argv,
  choice,
  commonFields,
  duration,
  environmentVariables,
  flag,
  integer,
  list,
  number,
  object,
  optionalAll,
  secretRef,
  text,
  time,
  usd,
} from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'
import { KEYWORDS } from '../vocabulary.ts'
import { SCRIPT_RULE, script } from './script.schema.ts'

const PROVIDER_TYPES = ['anthropic', 'openai', 'openai-compatible', 'ollama', 'llama-cpp', 'scripted'] as const
export type ProviderType = (typeof PROVIDER_TYPES)[number]

const LAYERS = ['operational', 'tactical', 'strategic'] as const

/** Names of models are the providers' own: `gpt-4o`, `mistral:latest`, `org/model@rev`. */
export const modelName = (description: string) =>
  text({
    description,
    minLength: 1,
    maxLength: 128,
    pattern: '^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$',
    hint: 'write the name as the provider has it, for example gpt-4o or mistral:latest',
  })

export const temperature = (description: string) => number({ description, minimum: 0, maximum: 2 })
export const maxTokens = (description: string) => integer({ description, minimum: 1, maximum: 1_000_000 })

const pricing = object(
  {
    inputPerMTok: usd({ description: 'US dollars for a million tokens of prompts; 0 is free.' }),
    outputPerMTok: usd({ description: 'US dollars for a million tokens of answers; 0 is free.' }),
  },
  { description: 'What it costs. Of a local provider, left out: nothing.' },
)

const model = object(
  {
    name: modelName('Its name, as the provider has it.'),
    ...optionalAll({
      file: text({
        description: 'The file of its weights: {file} in the words of server.command.',
        minLength: 1,
        maxLength: 1024,
        pattern: '^[^\\x00-\\x1f]+$',
        hint: 'write a path',
      }),
      layer: choice(LAYERS, {
        description:
          'What it is for when a request names no model: operational answers what is simple, tactical what is of medium complexity, strategic what is complex.',
      }),
      alwaysLoaded: flag({
        description:
          'Of this machine: it is loaded at once, and the provider, and the host when it starts, are ready only when it answers a test prompt.',
        default: false,
      }),
      unloadAfterIdle: duration({
        description: 'Time without a call after which a model of a server here is unloaded.',
        min: '1s',
        max: '24h',
        default: '5m',
      }),
      maxTokens: maxTokens('The longest answer, in tokens; a request may ask for less.'),
      temperature: temperature('How freely it answers, when a request does not say.'),
      contextLength: integer({
        description: 'Tokens of prompt and answer together; a longer prompt goes to another backend.',
        minimum: 256,
        maximum: 10_000_000,
      }),
      answeredBy: list(modelName('A name that may answer.'), {
        description:
          'Other names that may answer for it, as of an alias; what answers beside these and its own is AliasDrift.',
        maxItems: 50,
      }),
      pricing,
    }),
  },
  { description: 'One model.' },
)

const server = object(
  {
    command: argv(
      'The program that serves it, and its arguments. {port} is the port of baseURL, {model} and {file} are those of the model.',
    ),
    ...optionalAll({
      env: environmentVariables('Variables it gets.'),
      startTimeout: duration({
        description: 'Time until it has to answer.',
        min: '1s',
        max: '30m',
        default: '2m',
      }),
      healthPrompt: text({
        description: 'The prompt that it has to answer before it gets any other.',
        minLength: 1,
        maxLength: 1024,
        default: 'Say ok.',
      }),
    }),
  },
  { description: 'A program of this machine that is started when it is needed, and ended when nothing asks for it.' },
)

export const modelProviderSpec = object(
  {
    type: choice(PROVIDER_TYPES, {
      description:
        'How it is spoken to. scripted: rules of this document answer, for demonstrations and tests; it is labelled so wherever it shows.',
    }),
    ...optionalAll({
      class: choice(['local', 'cloud'], {
        description:
          'Where prompts go. local: a machine of ours. Left out: local for ollama, llama-cpp and scripted, cloud for others.',
      }),
      baseURL: text({
        description:
          'Where it answers: http or https. Left out: the address of the provider, http://127.0.0.1:11434 of ollama, http://127.0.0.1:8080 of llama-cpp.',
        minLength: 8,
        maxLength: 2048,
        pattern: '^https?://[^\\s]+$',
        hint: 'write an address that begins with https://',
      }),
      secretRef: secretRef(
        'The secret that holds its key. Left out: OPENAI_API_KEY of openai, ANTHROPIC_API_KEY of anthropic; the others need none.',
      ),
      priority: integer({
        description: 'The order in which providers are asked that a request may go to: the lowest first.',
        minimum: 0,
        maximum: 1000,
        default: 100,
      }),
      fallbackOnly: flag({
        description: 'It is asked only when no other provider of the request could answer.',
        default: false,
      }),
      rateLimit: object(
        optionalAll({
          requestsPerMinute: integer({ description: 'Requests in any minute.', minimum: 1, maximum: 1_000_000 }),
          tokensPerMinute: integer({
            description: 'Tokens in any minute, prompts and answers together.',
            minimum: 1,
            maximum: 1_000_000_000,
          }),
        }),
        { description: 'What it takes. Requests beyond it wait in a queue.' },
      ),
      concurrency: integer({
        description: 'Requests at once; more wait, the most urgent first. Left out: 1 for a server here, else 64.',
        minimum: 1,
        maximum: 1000,
      }),
      timeout: duration({
        description: 'Time after which a request that has not ended goes to the next backend.',
        min: '100ms',
        max: '1h',
        default: '2m',
      }),
      pricing,
      breaker: breakerSettings,
      models: list(model, { description: 'The models it has.', maxItems: 100, unique: ['name'] }),
      server,
      script,
      ...commonFields,
    }),
  },
  {
    description: 'A provider of models as it is wanted.',
    [KEYWORDS.rules]: [
      SCRIPT_RULE,
      {
        rule: "self.type != 'openai-compatible' || has(self.baseURL)",
        message: 'openai-compatible needs an address',
        hint: 'give baseURL, for example http://127.0.0.1:8000/v1',
      },
      {
        rule: "!has(self.server) || self.type in ['ollama', 'llama-cpp', 'openai-compatible']",
        message: 'only ollama, llama-cpp and openai-compatible have a server of ours',
        hint: 'remove server',
      },
    ],
  },
)

/** A ModelProvider's spec as written. */
export type ModelProviderSpec = Static<typeof modelProviderSpec>
export type ModelSpec = NonNullable<ModelProviderSpec['models']>[number]

const count = (description: string) => Type.Optional(integer({ description, minimum: 0, maximum: 1_000_000_000 }))

export const modelProviderStatus = statusOf({
  ...optionalAll({
    class: text({ description: 'local or cloud.', maxLength: 16 }),
    health: text({ description: 'What the last call or test came to.', maxLength: 1024 }),
    breaker: text({ description: 'closed, open or half_open.', maxLength: 16 }),
    lastCallTime: time('When it answered last.'),
    loaded: list(text({ description: 'A model.', maxLength: 128 }), {
      description: 'Models of the server here that are loaded.',
      maxItems: 100,
    }),
    drift: list(
      object(
        {
          asked: text({ description: 'The model that was asked.', maxLength: 128 }),
          answered: text({ description: 'The model that says it answered.', maxLength: 128 }),
        },
        { description: 'One pair.' },
      ),
      { description: 'Models that were answered for by others.', maxItems: 20 },
    ),
  }),
  calls: count('Calls of the last 24 hours.'),
  failures: count('Of these, those that failed.'),
})
