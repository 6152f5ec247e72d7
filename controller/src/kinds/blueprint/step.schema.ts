import Type, { type Static } from 'typebox'
import {
  anyObject,
  choice,
  duration,
  flag,
  IDENTIFIER_HINT,
  IDENTIFIER_PATTERN,
  integer,
  list,
  object,
  objectName,
  optionalAll,
  text,
  usd,
} from '../schema-parts.ts'
import { KEYWORDS, type Variants } from '../vocabulary.ts'
import { EVENT_HINT, EVENT_PATTERN, EXPRESSION, identifier } from './expression-parts.ts'
import { retry } from './retry.schema.ts'

/** Prompts are longer than other templates, in characters. */
const PROMPT = 65_536

export const FOREACH_DEFAULTS = { as: 'item', concurrency: 1, maxIterations: 10_000 } as const

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

/** A step of a plan. */
export const step = object(
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

/** One step with the fields of all kinds; which of them it has, {@link STEP_VARIANTS} says. */
export type BlueprintStep = Static<typeof step>
