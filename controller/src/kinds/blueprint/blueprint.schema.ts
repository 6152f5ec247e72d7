import Type, { type Static } from 'typebox'
import {
  anyObject,
  anyValue,
  choice,
  commonFields,
  duration,
  flag,
  IDENTIFIER_HINT,
  IDENTIFIER_PATTERN,
  integer,
  list,
  object,
  objectName,
  optionalAll,
  secretRef,
  text,
  time,
  usd,
} from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'
import { KEYWORDS, type Variants } from '../vocabulary.ts'
import { retry } from './retry.schema.ts'

/** CEL texts and templates may be long; steps' prompts longer. */
const EXPRESSION = 4096
const PROMPT = 65_536

export const FOREACH_DEFAULTS = { as: 'item', concurrency: 1, maxIterations: 10_000 } as const

/** An event name, or a glob of them. */
const EVENT_PATTERN = '^[a-z*][a-z0-9_*-]*(\\.[a-z0-9_*-]+)*$'
const EVENT_HINT = "write an event name such as checkmk.alert: lower-case words joined by '.', '*' for any characters"

const identifier = (description: string) =>
  text({ description, minLength: 1, maxLength: 63, pattern: IDENTIFIER_PATTERN, hint: IDENTIFIER_HINT })

/** Fields of a trigger that only some kinds of trigger take, as a rule CEL can say. */
const onlyWith = (kinds: readonly string[], fields: readonly string[]) => ({
  rule: `${kinds.map((kind) => `has(self.${kind})`).join(' || ')} || !(${fields.map((field) => `has(self.${field})`).join(' || ')})`,
  message: `${fields.join(', ')} ${fields.length > 1 ? 'belong' : 'belongs'} to a trigger with ${kinds.join(' or ')}`,
  hint: `remove ${fields.length > 1 ? 'them' : 'it'}, or write a trigger with ${kinds.join(' or ')}`,
})

const headerName = (description: string) =>
  text({
    description,
    minLength: 1,
    maxLength: 128,
    pattern: '^[A-Za-z0-9-]+$',
    hint: 'write the name of an HTTP header, for example X-Hub-Signature-256',
  })

const webhook = object(
  {
    name: text({
      description:
        'Deliveries come to POST /api/v1/webhooks/<name> (with ?namespace= for another namespace than default) and become the event webhook.<name>.',
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$',
      hint: "use lower-case letters, digits, '-' and '_'",
    }),
    secretRef: secretRef('The key of the signature: HMAC-SHA256 over the raw body.'),
    header: Type.Optional(
      headerName(
        'Header with the signature: sha256=<hex>, bare hex, or base64. X-Hub-Signature-256 when left out, as GitHub sends it.',
      ),
    ),
    timestampHeader: Type.Optional(
      headerName(
        'Header with the time of the delivery in Unix seconds. With it, the signature is over <timestamp>.<body>, and a delivery from outside the replay window is refused.',
      ),
    ),
    deliveryHeader: Type.Optional(
      headerName('Header with the id of the delivery. X-GitHub-Delivery when left out; a sender need not send one.'),
    ),
    replayWindow: Type.Optional(
      duration({
        description:
          'How long a delivery is remembered: the same id, or the same body, within it is a duplicate. 5m when left out.',
        min: '1s',
        max: '24h',
      }),
    ),
  },
  { description: 'Deliveries of another system, proven by their signature.' },
)

const trigger = object(
  optionalAll({
    event: text({
      description: "Name of the event, or a glob in which '*' stands for any characters, for example checkmk.*.",
      minLength: 1,
      pattern: EVENT_PATTERN,
      hint: EVENT_HINT,
    }),
    filter: text({
      description: 'CEL over `event`; the run starts when it is true. A key that is missing means no match.',
      minLength: 1,
      maxLength: EXPRESSION,
    }),
    dedupeKey: text({
      description: 'Template over `event`. While a run with the same key has not ended, no other is started.',
      minLength: 1,
      maxLength: EXPRESSION,
    }),
    dedupeWindow: duration({
      description: 'How long the key stays taken after that run has ended. 0s when left out.',
      min: '0s',
      max: '30d',
    }),
    webhook,
    schedule: text({
      description:
        'Cron: minute, hour, day of month, month, day of week, for example 0 3 * * *. Each time it comes, a run is started.',
      minLength: 1,
      maxLength: 128,
    }),
    timeZone: text({
      description:
        'Time zone of the schedule, by its IANA name, for example Europe/Berlin; UTC when left out. A local time that is skipped in spring runs right after; one that comes twice in autumn runs once, unless the hour field begins with *.',
      minLength: 1,
      maxLength: 64,
    }),
    concurrencyPolicy: choice(['Allow', 'Forbid', 'Replace'], {
      description:
        'When a run of this schedule is still open at its next time: Allow starts another, Forbid leaves that time out, Replace cancels the open one. Allow when left out.',
    }),
    startingDeadlineSeconds: integer({
      description:
        'How late a run may start, for example after the controller was down; a time that is later than this is left out. However late, when left out. Of several missed times, only the latest starts a run.',
      minimum: 1,
      maximum: 31_536_000,
    }),
    inputs: anyObject({ description: 'Inputs of the runs the schedule starts.' }),
  }),
  {
    description: 'What starts a run: an event, a delivery to a webhook, or a time.',
    [KEYWORDS.exactlyOne]: ['event', 'webhook', 'schedule'],
    [KEYWORDS.rules]: [
      onlyWith(['event', 'webhook'], ['filter', 'dedupeKey', 'dedupeWindow']),
      onlyWith(['dedupeKey'], ['dedupeWindow']),
      onlyWith(['schedule'], ['timeZone', 'concurrencyPolicy', 'startingDeadlineSeconds', 'inputs']),
    ],
  },
)

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

/** Which fields a kind of step takes besides id, name, kind, needs, if and timeout. */
const LEAF_VARIANTS = {
  agent_task: {
    required: ['agent', 'prompt'],
    optional: ['provider', 'model', 'with', 'outputSchema', 'keepWorkspace', 'expectedRows', 'maxUsd', 'retry'],
  },
  action_task: { required: ['action'], optional: ['with', 'retry', 'undo'] },
  gate: { required: ['mode'], optional: ['approvers', 'min', 'selfApproval', 'inputSchema', 'onTimeout', 'message'] },
  transform: { required: ['expression'], optional: [] },
  wait: { required: [], optional: ['event', 'filter', 'duration', 'onTimeout'] },
  blueprint: { required: ['ref'], optional: ['inputs'] },
} as const

const STEP_VARIANTS = {
  by: 'kind',
  variants: {
    ...LEAF_VARIANTS,
    foreach: { required: ['items', 'plan'], optional: ['as', 'concurrency', 'maxIterations'] },
  },
} as const satisfies Variants

const ACTION = {
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-z0-9][a-z0-9_.-]*$',
  hint: 'write the name of a tool, for example http.call; expressions are not allowed here',
} as const

const undo = object(
  {
    action: text({ description: 'The tool, by name or alias.', ...ACTION }),
    with: Type.Optional(
      anyObject({ description: 'Template of its parameters; it may read the output of the very step.' }),
    ),
  },
  { description: 'The call that undoes the step, when its run is rolled back.' },
)

const LEAF_KINDS = [
  'agent_task',
  'action_task',
  'gate',
  'transform',
  'wait',
  'blueprint',
] as const satisfies readonly (keyof typeof LEAF_VARIANTS)[]

const LEAF_MEANING =
  'agent_task gives an agent work, action_task calls a tool, gate waits for a decision, transform computes a value, wait waits for an event or for some time, blueprint runs the plan of another blueprint'

const leafFields = {
  name: text({ description: 'A name for people; the id when left out.', minLength: 1, maxLength: 128 }),
  needs: list(identifier('Id of a step.'), {
    description:
      'Steps that have to end before. Left out: the step above. Empty: none, it starts at once. A step also waits for every step its expressions mention.',
    maxItems: 200,
    unique: 'set',
  }),
  if: text({
    description: 'CEL; when false, the step is skipped and its output is null.',
    minLength: 1,
    maxLength: EXPRESSION,
  }),
  timeout: duration({
    description: 'Time after which the step fails; for a gate, after which onTimeout decides.',
    min: '1s',
    max: '30d',
  }),
  agent: objectName('The agent that gets the work.'),
  maxUsd: usd({
    description:
      'US dollars the task may cost: kept of every budget before it begins. What the agent reports counts; when it reports nothing, all of it.',
  }),
  provider: objectName(
    'The ModelProvider that an agent which is a model asks for this step; what its environment says comes before it.',
  ),
  model: text({
    description:
      'The model the agent is asked to use; handed to it with the task. An agent which is a model asks it, unless its environment says another.',
    minLength: 1,
    maxLength: 128,
  }),
  prompt: text({ description: 'Template of what the agent is asked to do.', minLength: 1, maxLength: PROMPT }),
  with: anyObject({
    description:
      'Template of the parameters: of the tool, or of what the agent gets beside the prompt (left out: the inputs of the run).',
  }),
  outputSchema: anyObject({ description: "JSON Schema the agent's answer has to fit; the step fails otherwise." }),
  keepWorkspace: flag({ description: "Whether the task's folder stays after the task ended.", default: false }),
  expectedRows: integer({
    description:
      'Rows of a database the work is expected to read or write. From 100 on it is bulk work: only an instance on a host labelled `database: "true"` gets the task.',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
  }),
  retry,
  action: text({
    description: 'The tool, by name or alias, for example http.call.',
    ...ACTION,
  }),
  undo,
  mode: choice(['manual', 'pullRequest', 'policy'], {
    description:
      'manual: a person decides; pullRequest: the merge of a branch that Stateward proposes; policy: policies, and until they are enforced it is denied.',
  }),
  approvers: list(
    text({
      description:
        'role:<role>, team:<team>, user:<name>, principal:<name>, agent:<name> of the namespace, or parent: an agent above those who worked on the run.',
      minLength: 1,
      maxLength: 128,
      pattern: '^(parent|(role|team|principal|user|agent):[A-Za-z0-9._@/:-]+)$',
      hint: 'write role:<role>, team:<team>, user:<name>, principal:<name>, agent:<name> or parent',
    }),
    { description: 'Who may decide; left out, everybody who may approve.', maxItems: 50, unique: 'set' },
  ),
  min: integer({ description: 'Approvals that are needed.', minimum: 1, maximum: 50, default: 1 }),
  selfApproval: choice(['allow', 'deny'], {
    description: 'Whether whoever started the run may approve it.',
    default: 'allow',
  }),
  inputSchema: anyObject({
    description:
      'JSON Schema of an answer that an approval has to bring; the answer is the output of the step. Without it, the output tells who approved, and why.',
  }),
  onTimeout: choice(['reject', 'approve', 'fail', 'continue'], {
    description:
      'What happens when the timeout passes: a gate rejects (so it is when left out) or approves; a wait for an event fails (so it is when left out) or lets the run continue with null as its output.',
  }),
  event: text({
    description: "Name of the event that is waited for, or a glob in which '*' stands for any characters.",
    minLength: 1,
    pattern: EVENT_PATTERN,
    hint: EVENT_HINT,
  }),
  filter: text({
    description:
      'CEL over `event`, the one that came, and what else the step knows; true = this one. A key that is missing means no match.',
    minLength: 1,
    maxLength: EXPRESSION,
  }),
  duration: duration({ description: 'Time that is waited for, instead of an event.', min: '1ms', max: '365d' }),
  message: text({
    description: 'Template of what is shown to the one who decides.',
    minLength: 1,
    maxLength: EXPRESSION,
  }),
  ref: objectName(
    'The blueprint that is called; its plan runs inside of this run, its outputs are the output of the step.',
  ),
  inputs: anyObject({
    description: 'Template of the inputs of the called blueprint. It may not read env.',
  }),
  expression: text({
    description: 'CEL; its value is the output of the step.',
    minLength: 1,
    maxLength: EXPRESSION,
  }),
}

const stepId = identifier('Names the step: steps.<id>.output in expressions. Unique in the plan.')

/** A step of a loop's plan: every kind but another loop. */
const innerStep = object(
  {
    id: stepId,
    kind: choice(LEAF_KINDS, { description: `${LEAF_MEANING}.` }),
    ...optionalAll(leafFields),
  },
  { description: 'One step of an iteration.', [KEYWORDS.variants]: { by: 'kind', variants: LEAF_VARIANTS } },
)

const step = object(
  {
    id: stepId,
    kind: choice([...LEAF_KINDS, 'foreach'], {
      description: `${LEAF_MEANING}, foreach runs a plan for every item of a list.`,
    }),
    ...optionalAll({
      ...leafFields,
      items: text({
        description: 'CEL; a list. The plan runs once for each of its items. It may not read env.',
        minLength: 1,
        maxLength: EXPRESSION,
      }),
      as: text({
        description: 'Name of the item in the expressions of the plan; beside it, `index` counts from 0.',
        minLength: 1,
        maxLength: 63,
        pattern: IDENTIFIER_PATTERN,
        hint: IDENTIFIER_HINT,
        default: FOREACH_DEFAULTS.as,
      }),
      concurrency: integer({
        description: 'Iterations at once.',
        minimum: 1,
        maximum: 100,
        default: FOREACH_DEFAULTS.concurrency,
      }),
      maxIterations: integer({
        description: 'More items than this fail the step with max_iterations_exceeded.',
        minimum: 1,
        maximum: 100_000,
        default: FOREACH_DEFAULTS.maxIterations,
      }),
      plan: list(innerStep, {
        description:
          "The steps of an iteration. The output of the last one is the iteration's; the output of the loop is the list of them, in the order of the items.",
        minItems: 1,
        maxItems: 50,
        unique: ['id'],
      }),
    }),
  },
  { description: 'One step.', [KEYWORDS.variants]: STEP_VARIANTS },
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
/** One step with the fields of all kinds; which of them it has, {@link STEP_VARIANTS} says. */
export type BlueprintStep = Static<typeof step>

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
