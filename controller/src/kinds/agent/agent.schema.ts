import Type, { type Static } from 'typebox'
import { QUANTITY_PATTERN } from '../../lib/quantity.ts'
import { breakerSettings } from '../breaker-settings.ts'
import {
  anyObject,
  argv,
  choice,
  commonFields,
  duration,
  environmentVariables,
  flag,
  GLOB_PATTERN,
  integer,
  list,
  localRef,
  object,
  optionalAll,
  PATH_PATTERN,
  stringMap,
  text,
} from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'
import { modelMerged, optionalModel } from './model-runtime.schema.ts'
import { optionalPod, podMerged } from './pod-runtime.schema.ts'

const processFields = {
  command: argv(
    'The program and its arguments. A daemon runs as long as the agent does; a perTask command runs once for each task.',
  ),
  mode: choice(['daemon', 'perTask'], {
    description:
      'daemon: one long-lived process that registers and picks up tasks. perTask: one command a task, the task on stdin, the result on stdout.',
    default: 'daemon',
  }),
  env: environmentVariables(
    "Variables the process gets, beside those Stateward sets. Nothing else of the controller's environment reaches it.",
  ),
  workdir: text({
    description:
      "A directory of the state repo with the program's files. A daemon runs in a read-only copy of it; a task finds the copy at STATEWARD_FILES. A change below it restarts the agent.",
    minLength: 1,
    maxLength: 1024,
    pattern: PATH_PATTERN,
    hint: "write a path relative to the root of the state repo, without '..'",
  }),
  stdin: choice(['json', 'prompt'], {
    description: 'What a perTask command reads: the task as one line of JSON, or the bare prompt.',
    default: 'json',
  }),
}

const heartbeatFields = {
  interval: duration({ description: 'How often a daemon reports.', default: '30s', min: '1s', max: '1h' }),
  timeout: duration({
    description: 'Silence after which a daemon counts as dead and is replaced.',
    default: '90s',
    min: '2s',
    max: '24h',
  }),
}

const heartbeat = object(optionalAll(heartbeatFields), {
  description: 'How a daemon shows that it lives.',
  default: {},
})
const slots = integer({
  description: "Slots of the host's capacity that one instance takes.",
  minimum: 1,
  maximum: 1000,
  default: 1,
})
const memory = text({
  description: 'Memory that one instance takes of what its host has for agents.',
  maxLength: 20,
  pattern: QUANTITY_PATTERN,
  hint: 'a quantity such as 512Mi or 2Gi',
})
const resources = object(optionalAll({ slots, memory }), {
  description: 'What one instance takes of its host.',
  default: {},
})
const process = 'The agent is a program on a host.'
const runtime = 'How the agent runs.'

const receiverName = (what: string) =>
  text({
    description: what,
    minLength: 1,
    maxLength: 63,
    pattern: '^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$',
    hint: "use lower-case letters, digits, '-', '_' and '.'",
  })
const messages = object(
  {
    roles: Type.Optional(
      list(receiverName('One word, for example on-call.'), {
        description: 'What it is to others: messages to one of these roles reach it.',
        maxItems: 32,
        unique: 'set',
      }),
    ),
    topics: Type.Optional(
      list(receiverName('One word, for example deploys.'), {
        description: 'What it follows: messages to one of these topics reach it, from then on.',
        maxItems: 64,
        unique: 'set',
      }),
    ),
  },
  { description: 'Which messages reach it besides those to its own name.' },
)

/** What a template may give. */
const oversight = {
  autonomy: choice(['full', 'supervised', 'manual'], {
    description:
      'Gates before calls of tools that go on from its work: full adds none; supervised adds one before calls of medium and high risk; manual before every call that leaves something behind. The stricter of this and what the environment says counts. An approved gate of the plan above the call counts. Left out: as the environment says, else supervised.',
  }),
  requireApproval: list(
    text({
      description: 'A tool, or several with *: ssh.*',
      minLength: 1,
      maxLength: 128,
      pattern: '^[A-Za-z0-9_.*-]+$',
      hint: "use letters, digits, '.', '_', '-' and '*'",
    }),
    {
      description:
        'Tools that a call going on from its work never reaches without an approval of its own, whatever the autonomy.',
      maxItems: 100,
      unique: 'set',
    },
  ),
}

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

const constraints = object(
  optionalAll({
    tools: list(
      text({
        description: 'A tool, or several with *: http.*',
        minLength: 1,
        maxLength: 128,
        pattern: '^[A-Za-z0-9_.*-]+$',
        hint: "use letters, digits, '.', '_', '-' and '*'",
      }),
      {
        description:
          'The tools it may call; a call of another is refused, and each task names them. Left out: not limited.',
        maxItems: 100,
        unique: 'set',
      },
    ),
    maxTasks: integer({
      description: 'Tasks it has at once, all instances together. 0 gives it none.',
      minimum: 0,
      maximum: 10_000,
    }),
    tasksPerMinute: integer({
      description: 'Tasks it is given in any 60 seconds.',
      minimum: 0,
      maximum: 100_000,
    }),
  }),
  { description: 'Limits on what it is given, for as long as they stand here; an intervention sets them at once.' },
)

const workspace = object(
  optionalAll({
    allowedPaths: list(
      text({
        description: 'A glob over paths from the root of the state repo: docs/**, agents/*.yaml.',
        minLength: 1,
        maxLength: 256,
        pattern: GLOB_PATTERN,
        hint: "write a glob relative to the root of the state repo, without '..'",
      }),
      {
        description: 'Files of the state repo it may propose to change. Left out: any; empty: none.',
        maxItems: 100,
        unique: 'set',
      },
    ),
    maxChangedFiles: integer({
      description: 'How many files one proposal of it may change.',
      minimum: 0,
      maximum: 10_000,
    }),
  }),
  { description: 'What it may propose to change.' },
)

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

export const AGENT_PHASES = ['Pending', 'Starting', 'Running', 'Paused', 'Failed', 'Stopped'] as const
export type AgentPhase = (typeof AGENT_PHASES)[number]

const count = (description: string) => integer({ description, minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

const instance = Type.Object(
  {
    id: text({ description: 'Id of the instance.' }),
    ordinal: Type.Optional(count('Which replica it is, from 0.')),
    host: text({ description: 'The host it runs on.' }),
    pid: Type.Optional(count('Its process id on that host.')),
    startedAt: Type.Optional(text({ description: 'When it was started.', maxLength: 64 })),
    lastHeartbeatTime: Type.Optional(text({ description: 'When it reported last.', maxLength: 64 })),
    restartCount: Type.Optional(count('How often this replica was started again.')),
    currentTask: Type.Optional(text({ description: 'The task it works on.' })),
  },
  { description: 'One instance.' },
)

export const agentStatus = statusOf({
  phase: Type.Optional(
    choice(AGENT_PHASES, { description: 'The state in one word, for people; programs read the conditions.' }),
  ),
  replicas: Type.Optional(count('Instances that exist.')),
  readyReplicas: Type.Optional(count('Instances that run and report.')),
  instances: Type.Optional(list(instance, { description: 'The instances.', maxItems: 100, unique: ['id'] })),
  usage: Type.Optional(anyObject({ description: 'Counters: tasksCompleted, tasksFailed.' })),
})
