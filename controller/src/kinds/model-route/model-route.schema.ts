import Type, { type Static } from 'typebox'
import { modelName } from '../model-provider/model-provider.schema.ts'
import {
  choice,
  commonFields,
  integer,
  list,
  number,
  object,
  objectName,
  optionalAll,
  text,
  time,
  usd,
} from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'

const COMPLEXITIES = ['low', 'medium', 'high'] as const
export const FALLBACK_CAUSES = ['error', 'rateLimit', 'timeout', 'budget'] as const

const word = (description: string) =>
  text({
    description,
    minLength: 1,
    maxLength: 63,
    pattern: '^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$',
    hint: "use lower-case letters, digits, '-', '_' and '.'",
  })
const words = (description: string) =>
  list(word('One word.'), { description, minItems: 1, maxItems: 50, unique: 'set' })

const match = object(
  optionalAll({
    taskClass: words('What kind of work it is, as the request says: one of these.'),
    complexity: list(choice(COMPLEXITIES, { description: 'One level.' }), {
      description: 'How complex it is: said by the request, else worked out of its text.',
      minItems: 1,
      maxItems: 3,
      unique: 'set',
    }),
    agentClass: words('The class of the agent that asks (its label `class`): one of these.'),
    stage: list(choice(['dev', 'test', 'prod'], { description: 'One stage.' }), {
      description: 'The stage of the environment it asks in.',
      minItems: 1,
      maxItems: 3,
      unique: 'set',
    }),
    privacy: list(choice(['any', 'localOnly'], { description: 'One word.' }), {
      description: 'Where its text may go. Whatever a rule says, localOnly goes to local providers alone.',
      minItems: 1,
      maxItems: 2,
      unique: 'set',
    }),
    maxUsd: usd({ description: 'The request may cost at most so much: it fits those that may cost no more.' }),
  }),
  {
    description: 'Which requests it is for: all of what is given has to fit. Nothing given fits every one.',
    default: {},
  },
)

const backendFields = {
  provider: objectName('The ModelProvider.'),
  model: Type.Optional(
    modelName("The model. Left out: the provider's model of the layer that the complexity asks for."),
  ),
}

const backend = object(
  {
    ...backendFields,
    ...optionalAll({
      weight: integer({
        description:
          'Its share among the backends of the rule. With weights, chance decides who is asked first; without, the order does.',
        minimum: 0,
        maximum: 1000,
      }),
    }),
  },
  { description: 'One backend.' },
)

const rule = object(
  {
    backendRefs: list(backend, { description: 'Who may answer.', minItems: 1, maxItems: 20 }),
    ...optionalAll({
      name: text({ description: 'A name for people.', minLength: 1, maxLength: 128 }),
      match,
      order: choice(['priority', 'price', 'listed'], {
        description:
          'Who is asked first: priority: local before cloud, then by the priority of the providers; price: the cheapest; listed: as they stand here.',
        default: 'priority',
      }),
    }),
  },
  { description: 'One rule.' },
)

const fallback = object(
  {
    ...backendFields,
    ...optionalAll({
      on: list(choice(FALLBACK_CAUSES, { description: 'One cause.' }), {
        description: 'Why the backends before it did not answer. Left out: whatever it was.',
        minItems: 1,
        maxItems: 4,
        unique: 'set',
      }),
    }),
  },
  { description: 'One backend that is asked when those of the rule could not answer.' },
)

export const modelRouteSpec = object(
  {
    rules: list(rule, {
      description: 'Looked at in order; the first that fits counts.',
      minItems: 1,
      maxItems: 100,
    }),
    ...optionalAll({
      fallbacks: list(fallback, { description: 'Who is asked then, in this order.', maxItems: 20 }),
      targets: object(
        optionalAll({
          localRatio: number({
            description: 'The share of calls that local providers are to answer, of those of the last 24 hours.',
            minimum: 0,
            maximum: 1,
          }),
        }),
        { description: 'What is measured, and alerted of when it is missed.' },
      ),
      ...commonFields,
    }),
  },
  { description: 'Which model answers which request.' },
)

/** A ModelRoute's spec as written. */
export type ModelRouteSpec = Static<typeof modelRouteSpec>
export type RouteRule = ModelRouteSpec['rules'][number]

export const modelRouteStatus = statusOf(
  optionalAll({
    localRatio: number({ description: 'The share of local providers in the last 24 hours.', minimum: 0, maximum: 1 }),
    calls: integer({ description: 'Calls of the last 24 hours.', minimum: 0, maximum: 1_000_000_000 }),
    measuredAt: time('When it was measured.'),
  }),
)
