import Type, { type Static } from 'typebox'
import { breakerSettings } from '../breaker-settings.ts'
import {
  choice,
  commonFields,
  flag,
  integer,
  list,
  localRef,
  object,
  optionalAll,
  stringMap,
  text,
} from '../schema-parts.ts'
import { constraints, workspace } from './constraints.schema.ts'
import { heartbeat, heartbeatFields, memory, resources, slots } from './instance-needs.schema.ts'
import { modelMerged, optionalModel } from './model-runtime.schema.ts'
import { oversight } from './oversight.schema.ts'
import { optionalPod, podMerged } from './pod-runtime.schema.ts'
import { processFields } from './process-runtime.schema.ts'
import { messages } from './receives.schema.ts'

const process = 'The agent is a program on a host.'
const runtime = 'How the agent runs.'

/** What a template may give. */
const inheritable = {
  displayName: text({ description: 'A name for people.', minLength: 1, maxLength: 128 }),
  description: text({ description: 'What it is for.', maxLength: 4096 }),
  parentRef: localRef('The agent that supervises it: the lineage.'),
  ...oversight,
  projectRef: localRef('The project it works for; it decides about the shared folder.'),
  capabilities: list(
    text({
      description: 'One word, for example linux.',
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$',
      hint: "use lower-case letters, digits, '-', '_' and '.'",
    }),
    {
      description: 'What it is good at; shown to whoever chooses an agent, and told to the agent itself.',
      maxItems: 50,
      unique: 'set',
    },
  ),
  messages,
  hostSelector: object(
    {
      matchLabels: Type.Optional(
        stringMap({
          description: 'Labels (spec.labels) a host must have, all of them.',
          maxProperties: 32,
          maxLength: 63,
        }),
      ),
    },
    { description: 'Which hosts may run it; empty means any.' },
  ),
  resources,
  dataAccess: choice(['bus', 'bulk'], {
    description:
      'How it reaches data. bus (when unset): over the API. bulk: in the database itself, so it runs only on hosts labelled `database: "true"`.',
  }),
  heartbeat,
  restartPolicy: choice(['Always', 'OnFailure', 'Never'], {
    description:
      'Whether a daemon that ended is started again, with growing pauses: always, only when it failed, or never.',
    default: 'Always',
  }),
  terminationGracePeriodSeconds: integer({
    description: 'Seconds between asking an instance to end (TERM) and ending it (KILL).',
    minimum: 0,
    maximum: 3600,
    default: 30,
  }),
  keepWorkspace: flag({ description: "Whether a task's folder stays after the task ended.", default: false }),
  ...commonFields,
}

const own = {
  agentId: text({
    description: 'Three digits that name the agent on the bus, unique among the agents.',
    maxLength: 3,
    pattern: '^[0-9]{3}$',
    hint: 'write three digits in quotes, for example "001"',
  }),
  templateRef: localRef('The template that gives every field left out here.'),
  replicas: integer({
    description: 'How many instances run; for perTask, how many tasks at once. 0 runs none.',
    minimum: 0,
    maximum: 100,
    default: 1,
  }),
}

const goal = text({
  description: 'What it works towards for now; told to it with each task, before what the task says.',
  minLength: 1,
  maxLength: 8192,
})

const external = object(
  {},
  { description: 'The agent is a program that somebody else starts, anywhere; it registers itself over the bus.' },
)

const runtimeAsWritten = object(
  {
    process: Type.Optional(object(optionalAll(processFields), { description: process })),
    model: optionalModel,
    pod: optionalPod,
    external: Type.Optional(external),
  },
  { description: runtime },
)

const { command, mode, stdin, env, workdir } = processFields

/** As written: a template may give the rest. */
export const agentSpec = object(
  optionalAll({
    ...inheritable,
    ...own,
    goal,
    workspace,
    constraints,
    breaker: breakerSettings,
    runtime: runtimeAsWritten,
  }),
  {
    description: 'An agent as it is wanted.',
  },
)

export const agentTemplateSpec = object(optionalAll({ ...inheritable, runtime: runtimeAsWritten }), {
  description: 'What agents that name this template have in common. Suspending a template suspends all of them.',
})

const {
  displayName,
  description,
  parentRef,
  projectRef,
  capabilities,
  messages: receives,
  hostSelector,
  dependsOn,
  dataAccess,
  autonomy,
  requireApproval,
  suspendUntil,
  ...filled
} = inheritable

/** What runs: after template, overrides and defaults. */
export const agentMergedSpec = object(
  {
    ...optionalAll({
      displayName,
      description,
      parentRef,
      projectRef,
      capabilities,
      messages: receives,
      hostSelector,
      dependsOn,
      dataAccess,
      autonomy,
      requireApproval,
      suspendUntil,
      agentId: own.agentId,
      templateRef: own.templateRef,
      goal,
      constraints,
      workspace,
      breaker: breakerSettings,
    }),
    ...filled,
    resources: object(
      { slots, memory: Type.Optional(memory) },
      { description: 'What one instance takes of its host.' },
    ),
    heartbeat: object(heartbeatFields, { description: 'How a daemon shows that it lives.' }),
    replicas: own.replicas,
    runtime: object(
      {
        process: Type.Optional(
          object({ command, mode, stdin, ...optionalAll({ env, workdir }) }, { description: process }),
        ),
        model: Type.Optional(modelMerged),
        pod: Type.Optional(podMerged),
        external: Type.Optional(external),
      },
      { description: runtime },
    ),
  },
  { description: 'An agent as it runs.' },
)

type MergedSpec = Static<typeof agentMergedSpec>

/** The spec of an Agent whose processes are started here, as they run: after template, overrides and defaults. */
export type AgentSpec = Omit<MergedSpec, 'runtime'> & {
  readonly runtime: { readonly process: NonNullable<MergedSpec['runtime']['process']> }
}

/** What an agent's pod is made of. */
export type PodRuntime = NonNullable<MergedSpec['runtime']['pod']>
