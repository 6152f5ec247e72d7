import Type, { type Static } from 'typebox'
import {
  anyObject,
  anyValue,
  choice,
  commonFields,
  duration,
  flag,
  integer,
  list,
  object,
  optionalAll,
  text,
  time,
  usd,
} from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'
import { EXPRESSION, identifier } from './expression-parts.ts'
import { step } from './step.schema.ts'
import { trigger } from './trigger.schema.ts'

const input = object(
  {
    name: identifier('Name of the input: inputs.<name> in expressions.'),
    description: Type.Optional(text({ description: 'What it means.', maxLength: 4096 })),
    schema: Type.Optional(anyObject({ description: 'JSON Schema the value has to fit.' })),
    required: Type.Optional(
      flag({ description: 'Whether a run without it, and without a default, is refused.', default: false }),
    ),
    default: Type.Optional(anyValue({ description: 'The value when none is given.' })),
    from: Type.Optional(
      text({
        description:
          'CEL over `event` that gives the value when an event started the run, for example event.data.host.',
        minLength: 1,
        maxLength: EXPRESSION,
      }),
    ),
  },
  { description: 'One input.' },
)

const limits = object(
  {
    maxSteps: Type.Optional(integer({ description: 'Steps a run may take.', minimum: 1, maximum: 200, default: 200 })),
    timeout: Type.Optional(
      duration({
        description: 'Time from the start of a run after which it fails.',
        default: '60m',
        min: '1s',
        max: '30d',
      }),
    ),
    maxUsd: Type.Optional(
      usd({
        description:
          'US dollars a run may cost in all: what its tools declare, and what its agents report. A run that would cost more fails with budget_exceeded.',
      }),
    ),
    concurrency: Type.Optional(
      integer({
        description: 'Runs of this blueprint at once; more wait. Without it there is no limit.',
        minimum: 1,
        maximum: 10_000,
      }),
    ),
  },
  { description: 'What a run may take.', default: {} },
)

const backpressure = object(
  optionalAll({
    maxPending: integer({
      description: 'Runs that may be there without having begun; beyond it, what would start another is held back.',
      minimum: 1,
      maximum: 100_000,
    }),
    ratePerMinute: integer({
      description: 'Runs that may be made in any minute; beyond it, what would start another is held back.',
      minimum: 1,
      maximum: 100_000,
    }),
  }),
  {
    description:
      'Limits for what may start runs. Events, deliveries and schedules beyond them are held back, in order, and start their runs later; a run that is asked for by hand is refused with 429.',
  },
)

const output = object(
  {
    name: identifier('Name of the output.'),
    value: Type.Optional(
      anyValue({ description: "Template of the value. Left out: the field of this name in the last step's output." }),
    ),
  },
  { description: 'One output.' },
)

export const blueprintSpec = object(
  {
    ...optionalAll({
      description: text({ description: 'What it does.', maxLength: 4096 }),
      triggers: list(trigger, {
        description: 'Events, deliveries to webhooks and times that start runs. Without any, runs are started by hand.',
        maxItems: 32,
      }),
      inputs: list(input, { description: 'What a run is given.', maxItems: 100, unique: ['name'] }),
      limits,
      onFailure: choice(['stop', 'rollback'], {
        description:
          'What happens when a run fails: nothing more, or what it did is undone in reverse order, by the undo of its steps.',
        default: 'stop',
      }),
      backpressure,
    }),
    plan: list(step, {
      description: 'The steps, in the order they are read.',
      minItems: 1,
      maxItems: 200,
      unique: ['id'],
    }),
    ...optionalAll({
      outputs: list(output, { description: 'What a run gives back.', maxItems: 100, unique: ['name'] }),
      ...commonFields,
    }),
  },
  { description: 'A blueprint as it is wanted.' },
)

/** A Blueprint's spec as written. */
export type BlueprintSpec = Static<typeof blueprintSpec>

export const blueprintStatus = statusOf({
  planDigest: Type.Optional(text({ description: 'sha256 of the compiled plan that new runs follow.', maxLength: 128 })),
  steps: Type.Optional(integer({ description: 'Steps in the plan.', minimum: 0, maximum: 200 })),
  nextScheduleTime: Type.Optional(time('When the next of its schedules is due.')),
  lastScheduleTime: Type.Optional(time('The last scheduled time that started a run.')),
  activeRuns: Type.Optional(
    integer({ description: 'Runs that have not ended.', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  ),
  openRuns: Type.Optional(
    object(
      {
        total: integer({ description: 'How many there are.', minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
        names: list(text({ description: 'Name of a run.', maxLength: 253 }), {
          description: 'The oldest of them.',
          maxItems: 20,
          unique: 'set',
        }),
      },
      {
        description:
          'Runs that have been open for over a minute: what a plan tells of runs that a change overtakes, without a server.',
      },
    ),
  ),
})
