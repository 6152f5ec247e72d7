import Type, { type Static } from 'typebox'
import { modelName } from '../model-provider/model-provider.schema.ts'
import {
  anyObject,
  choice,
  commonFields,
  flag,
  integer,
  list,
  object,
  objectName,
  optionalAll,
  text,
} from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'

/** Kinds whose objects an environment may patch: those it changes something for. */
const OVERRIDABLE_KINDS = ['Agent', 'Blueprint', 'ModelRoute', 'Project', 'Tool'] as const

const target = object(
  {
    kind: choice(OVERRIDABLE_KINDS, { description: 'Kind of the objects.' }),
    ...optionalAll({ name: objectName('One object; left out, all of the kind.') }),
  },
  { description: 'Which objects of the namespace are patched.' },
)

export const environmentSpec = object(
  optionalAll({
    envId: text({
      description: 'The id events and trailers carry; the name of the environment when left out.',
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$',
      hint: "use lower-case letters, digits, '-', '_' and '.'",
    }),
    class: choice(['control', 'product'], {
      description: 'control runs the fleet itself, product what the fleet builds.',
      default: 'product',
    }),
    stage: choice(['dev', 'test', 'prod'], { description: 'How serious a mistake is here.', default: 'dev' }),
    autonomy: choice(['full', 'supervised', 'manual'], {
      description:
        'Gates before calls of tools: full adds none; supervised adds one before calls of medium and high risk; manual before every call that leaves something behind. An approved gate of the plan above the call counts. Left out: supervised, for what goes on from the work of agents.',
    }),
    inlinePlans: choice(['allow', 'deny'], {
      description: 'Whether a run may bring its own plan, or only follow a blueprint of the state repo.',
      default: 'allow',
    }),
    registration: object(
      {
        allowUndeclared: Type.Optional(
          flag({
            description:
              'Whether a process may register as an agent that is not declared: that opens a proposal to declare it.',
            default: false,
          }),
        ),
      },
      { description: 'What processes that nobody here started may do.', default: {} },
    ),
    models: object(
      optionalAll({
        provider: objectName('The ModelProvider.'),
        model: modelName('The model.'),
      }),
      {
        description:
          'The provider and the model that requests of the namespace go to, whatever blueprints, agents and routes say; with a provider nobody else is asked.',
      },
    ),
    sandbox: choice(['available', 'required'], {
      description:
        'Whether programs that tools start run where they cannot be confined (which their log says), or are refused there.',
      default: 'available',
    }),
    network: object(
      optionalAll({
        allowOutbound: flag({
          description: 'Whether tools reach out at all; false denies every tool that does.',
          default: true,
        }),
        allow: list(
          text({
            description: 'A name, with * for any part of it, an address or a network: *.example.com, 10.0.0.0/8.',
            minLength: 1,
            maxLength: 253,
            pattern: '^[A-Za-z0-9*_.:-]+(/[0-9]{1,3})?$',
            hint: 'write a name such as api.example.com or *.example.com, or an address such as 10.0.0.0/8',
          }),
          {
            description:
              'What tools may reach, and nothing else. Left out: everything but addresses of the network itself (169.254.0.0/16 …); agents that call tools themselves, no private address either.',
            maxItems: 200,
            unique: 'set',
          },
        ),
      }),
      { description: 'What the tools of the namespace may reach.' },
    ),
    quota: object(
      optionalAll({
        runs: integer({
          description: 'Runs of the namespace that may be under way at once; more wait, with QuotaExceeded.',
          minimum: 1,
          maximum: 1_000_000,
        }),
        spawnedAgents: integer({
          description: 'Spawned agents that may live in the namespace at once; more are refused with quota_exceeded.',
          minimum: 0,
          maximum: 100_000,
        }),
        processes: integer({
          description:
            'Programs that process.start keeps running in the namespace at once; more are refused with quota_exceeded. Left out: 16.',
          minimum: 0,
          maximum: 10_000,
        }),
      }),
      {
        description:
          'How much there may be at once in the namespace. Left out: any number, but for processes. What may be spent, a Budget says.',
      },
    ),
    overrides: list(
      object(
        {
          target,
          patch: anyObject({ description: 'JSON merge patch of the spec: maps merge, lists replace, null removes.' }),
        },
        { description: 'One patch.' },
      ),
      {
        description: 'What differs here from what the objects say, in this order, after their templates.',
        maxItems: 100,
      },
    ),
    ...commonFields,
  }),
  { description: 'An environment as it is wanted.' },
)

/** An Environment's spec as written. */
export type EnvironmentSpec = Static<typeof environmentSpec>

export const environmentStatus = statusOf({})
