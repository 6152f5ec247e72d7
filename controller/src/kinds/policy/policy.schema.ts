import type { Static } from 'typebox'
import {
  choice,
  commonFields,
  duration,
  flag,
  integer,
  list,
  number,
  object,
  optionalAll,
  stringMap,
  text,
} from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'
import { KEYWORDS, type Variants } from '../vocabulary.ts'

const word = (description: string) => text({ description, minLength: 1, maxLength: 253 })
const subjects = (description: string) =>
  list(
    text({
      description: 'role:<role>, team:<team>, user:<name> or agent:<name>.',
      minLength: 1,
      maxLength: 128,
      pattern: '^(role|team|principal|user|agent):[A-Za-z0-9._@-]+$',
      hint: 'write role:<role>, team:<team>, principal:<name>, user:<name> or agent:<name>',
    }),
    { description, maxItems: 50, unique: 'set' },
  )

const match = object(
  optionalAll({
    action: word('Action, or a glob such as cicd.*.'),
    stage: choice(['dev', 'test', 'prod', 'any'], { description: 'Stage of the environment.' }),
    resourceType: word('Kind of the object, in lower case.'),
    envId: word('Id of the environment, or any.'),
    subjects: subjects('Who asks; left out, everybody.'),
    risk: choice(['low', 'medium', 'high', 'any'], { description: 'Risk of what is asked for.' }),
    expression: text({
      description:
        'CEL over `point`, `action`, `subject`, `resource`, `env`, `risk`, `data` and `at`; asked when all else fits. A key that is missing denies.',
      minLength: 1,
      maxLength: 4096,
    }),
  }),
  { description: 'What the rule is about; all of it has to fit.' },
)

const requirements = object(
  optionalAll({
    approvals: object(
      optionalAll({
        min: integer({ description: 'Approvals that are needed.', minimum: 1, maximum: 50, default: 1 }),
        fromAnyOf: subjects('Whose approvals count; left out, of everybody who may approve.'),
      }),
      { description: 'Who has to agree.' },
    ),
    testsRequired: flag({ description: 'Whether the tests of the change have to be green.', default: false }),
    timeWindow: object(
      {
        schedule: text({
          description: 'Cron expression of the minutes in which it is allowed.',
          minLength: 9,
          maxLength: 128,
        }),
        ...optionalAll({
          timeZone: text({ description: 'IANA time zone.', minLength: 1, maxLength: 64, default: 'UTC' }),
        }),
      },
      { description: 'When it is allowed.' },
    ),
  }),
  { description: 'What has to be there besides.' },
)

const rule = object(
  {
    id: text({
      description: 'Names the rule in records; unique in the policy.',
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$',
      hint: "use lower-case letters, digits, '-' and '_'",
    }),
    effect: choice(['allow', 'deny', 'require_approval'], { description: 'What the rule decides.' }),
    ...optionalAll({
      priority: integer({
        description: 'Rules are read from the lowest number on.',
        minimum: 0,
        maximum: 1_000_000,
        default: 100,
      }),
      match,
      requirements,
      autoMerge: flag({
        description:
          'With the effect allow, about changes: a proposal all of whose changes are allowed by such rules is merged by itself once its checks pass. Policies, people, budgets, environments, sources, secret stores, decisions and CODEOWNERS never are.',
        default: false,
      }),
    }),
  },
  { description: 'One rule.' },
)

const window = object(
  {
    id: text({
      description: 'Names the window in messages; unique in the policy.',
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$',
      hint: "use lower-case letters, digits, '-' and '_'",
    }),
    kind: choice(['allow', 'deny'], {
      description: 'allow: changes only while a window of this kind is open; deny: no changes while this one is.',
    }),
    schedule: text({ description: 'Cron expression of the times at which it opens.', minLength: 9, maxLength: 128 }),
    duration: duration({ description: 'How long it stays open.', min: '1m', max: '31d' }),
    ...optionalAll({
      timeZone: text({ description: 'IANA time zone.', minLength: 1, maxLength: 64, default: 'UTC' }),
      kinds: list(
        text({ description: 'A kind: Agent.', minLength: 1, maxLength: 63, pattern: '^[A-Z][A-Za-z0-9]*$' }),
        {
          description: 'Kinds of the objects whose changes it is about; left out, every kind but Policy.',
          maxItems: 50,
          unique: 'set',
        },
      ),
      names: list(text({ description: 'A name, or several with *: web-*.', minLength: 1, maxLength: 128 }), {
        description: 'Names of the objects; left out, any.',
        maxItems: 100,
        unique: 'set',
      }),
    }),
  },
  { description: 'One window.' },
)

const allocation = object(
  {
    id: text({
      description: 'Names the rule in records; unique in the policy.',
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$',
      hint: "use lower-case letters, digits, '-' and '_'",
    }),
    effect: choice(['apply', 'ignore'], { description: 'Whether what fits is split.' }),
    match: object(
      {
        event: word('Name of the event, or a glob such as invoice.*.'),
        ...optionalAll({
          product: word('`product` of its data.'),
          channel: choice(['direct', 'reseller', 'marketplace'], { description: '`channel` of its data.' }),
          pouId: word('`pou_id` of its data.'),
          metadata: stringMap({ description: 'Members of `metadata` of its data.', maxProperties: 16, maxLength: 253 }),
        }),
      },
      { description: 'What the rule is about; all of it has to fit.' },
    ),
    ...optionalAll({
      priority: integer({
        description: 'Rules are read from the lowest number on; the first that fits decides.',
        minimum: 0,
        maximum: 1_000_000,
        default: 100,
      }),
      splits: list(
        object(
          {
            to: text({
              description: 'pou:<id> or wallet:<ref>.',
              minLength: 5,
              maxLength: 128,
              pattern: '^(pou|wallet):[A-Za-z0-9._@/-]+$',
              hint: 'write pou:<id> or wallet:<ref>',
            }),
            type: choice(['percent', 'fixed'], { description: 'A share, or an amount in USD.' }),
            value: number({ description: 'How much.', minimum: 0, maximum: 1e9 }),
          },
          { description: 'One share.' },
        ),
        { description: 'Who is meant to get how much; percents sum to 100.', minItems: 1, maxItems: 50 },
      ),
    }),
  },
  { description: 'One rule of a treasury.' },
)

/** What each type of policy takes. */
const POLICY_VARIANTS: Variants = {
  by: 'type',
  variants: {
    governance: { required: ['rules'], optional: ['evaluationMode', 'enforcement'] },
    window: { required: ['windows'], optional: [] },
    treasury: { required: ['allocations'], optional: [] },
  },
}

export const policySpec = object(
  {
    ...optionalAll({
      rules: list(rule, { description: 'The rules.', minItems: 1, maxItems: 200, unique: ['id'] }),
      windows: list(window, {
        description: 'When changes of the namespace are applied. Outside of it they wait, and say so.',
        minItems: 1,
        maxItems: 50,
        unique: ['id'],
      }),
      allocations: list(allocation, {
        description:
          'How amounts of events are meant to be split. An event of the ledger tells it; nothing is paid by it.',
        minItems: 1,
        maxItems: 200,
        unique: ['id'],
      }),
      type: choice(['governance', 'window', 'treasury'], {
        description:
          'governance: who may do what; window: when changes are applied; treasury: how amounts are meant to be split.',
        default: 'governance',
      }),
      evaluationMode: choice(['first_match', 'deny_overrides', 'collect_requirements'], {
        description: 'How several rules that fit become one decision.',
        default: 'first_match',
      }),
      enforcement: choice(['enforce', 'evaluate_only'], {
        description: 'evaluate_only records what it would decide.',
        default: 'enforce',
      }),
      ...commonFields,
    }),
  },
  { description: 'A policy as it is wanted.', [KEYWORDS.variants]: POLICY_VARIANTS },
)

/** A Policy's spec as written. */
export type PolicySpec = Static<typeof policySpec>

const count = (description: string) => integer({ description, minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

export const policyStatus = statusOf(
  optionalAll({
    phase: choice(['active', 'suspended'], { description: 'Whether it is asked.' }),
    version: count('The version in force: it never changes, an edit is a new one.'),
    digest: text({ description: 'sha256 of the version in force.', maxLength: 128 }),
    rules: count('Its rules.'),
    decisions: object(
      {
        allowed: count('Allowed by it.'),
        denied: count('Denied by it.'),
        asked: count('For which it asked for approvals.'),
      },
      { description: 'What it decided in the last 24 hours.' },
    ),
  }),
)
