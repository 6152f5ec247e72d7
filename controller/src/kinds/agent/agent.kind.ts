import { parseDuration } from '../../lib/duration.ts'
import { isObject, type JsonObject, valueAt } from '../../lib/json.ts'
import { schemaProblem } from '../../lib/json-schema.ts'
import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind, type FileReference, type SpecProblem } from '../definition.ts'
import { localReference, type Reference } from '../references.ts'
import { column, columns, wide } from '../status-parts.ts'
import { agentMergedSpec, agentSpec } from './agent.schema.ts'
import { agentStatus } from './agent-status.schema.ts'
import { runtimeProblems, wholeRuntimeProblems } from './runtime-problems.ts'

type Spec = Readonly<Record<string, unknown>>

const RUNTIMES = ['process', 'pod', 'model', 'external']
const PROMPT = '/spec/runtime/model/systemPromptFrom/path'

/** The tree of the state repo that its program runs from, and the file with a model's instructions. */
export function agentFiles(spec: Spec): FileReference[] {
  const trees = ['process', 'pod'].flatMap((runtime): FileReference[] => {
    const path = valueAt(spec, `/runtime/${runtime}/workdir`)
    return typeof path === 'string' ? [{ type: 'tree', path, pointer: `/spec/runtime/${runtime}/workdir` }] : []
  })
  const prompt = valueAt(spec, '/runtime/model/systemPromptFrom/path')
  return [...trees, ...(typeof prompt === 'string' ? [{ type: 'blob', path: prompt, pointer: PROMPT } as const] : [])]
}

/** What fields say of each other; also run on a template, whose fields may be few. */
export function checkAgentFields(spec: Spec): SpecProblem[] {
  const problems: SpecProblem[] = []
  const { interval, timeout } = isObject(spec['heartbeat']) ? spec['heartbeat'] : {}
  if (
    typeof interval === 'string' &&
    typeof timeout === 'string' &&
    parseDuration(timeout) <= parseDuration(interval)
  ) {
    problems.push({
      code: 'SW_BAD_VALUE',
      pointer: '/spec/heartbeat/timeout',
      message: `heartbeat.timeout (${timeout}) is not longer than heartbeat.interval (${interval})`,
      hint: 'give it at least twice the interval, or every late heartbeat kills the agent',
    })
  }
  const process = valueAt(spec, '/runtime/process')
  const model = valueAt(spec, '/runtime/model')
  const [runtime, ...others] = RUNTIMES.filter((one) => isObject(valueAt(spec, `/runtime/${one}`)))
  if (others.length > 0) {
    problems.push({
      code: 'SW_BAD_VALUE',
      pointer: `/spec/runtime/${others[0]}`,
      message: `runtime is one of process, pod, model and external, and here it is ${[runtime, ...others].join(' and ')}`,
      hint: 'take the others out; an agent whose template says process writes process: null to be something else',
    })
  }
  if (isObject(model)) {
    if (model['systemPrompt'] !== undefined && model['systemPromptFrom'] !== undefined)
      problems.push({
        code: 'SW_BAD_VALUE',
        pointer: '/spec/runtime/model/systemPromptFrom',
        message: 'systemPrompt and systemPromptFrom are two ways to say the same',
        hint: 'take one of the two out',
      })
    const schemaWrong = isObject(model['outputSchema']) ? schemaProblem(model['outputSchema'] as JsonObject) : null
    if (schemaWrong !== null)
      problems.push({
        code: 'SW_BAD_VALUE',
        pointer: '/spec/runtime/model/outputSchema',
        message: `it is no JSON Schema: ${schemaWrong}`,
        hint: 'correct it: https://json-schema.org',
      })
  }
  problems.push(...runtimeProblems(spec))
  if (!isObject(process)) return problems
  if (process['stdin'] === 'prompt' && process['mode'] === 'daemon') {
    problems.push({
      code: 'SW_BAD_VALUE',
      pointer: '/spec/runtime/process/stdin',
      message: 'stdin: prompt works with mode: perTask only; a daemon reads its tasks over the bus',
      hint: 'set mode: perTask, or leave stdin out',
    })
  }
  if (Array.isArray(process['command']) && process['command'][0] === '') {
    problems.push({
      code: 'SW_BAD_VALUE',
      pointer: '/spec/runtime/process/command/0',
      message: 'the program is an empty word',
      hint: 'name the program to run',
    })
  }
  return problems
}

/** What it names, itself or through a template. */
export function agentReferences(spec: Spec) {
  const model = valueAt(spec, '/runtime/model')
  const named = (field: 'provider' | 'route', kind: string): Reference[] =>
    isObject(model) && typeof model[field] === 'string'
      ? [{ kind, name: model[field], pointer: `/spec/runtime/model/${field}`, strength: 'required' }]
      : []
  return [
    ...localReference(spec, 'parentRef', 'Agent'),
    ...localReference(spec, 'projectRef', 'Project'),
    ...named('provider', 'ModelProvider'),
    ...named('route', 'ModelRoute'),
  ]
}

export const agent = defineKind({
  kind: 'Agent',
  plural: 'agents',
  singular: 'agent',
  shortNames: ['ag'],
  scope: 'Namespaced',
  description:
    'Somebody who works on tasks: a long-lived process that picks them up over the bus, a command that runs once for each, a pod, or a model that is asked in turns.',
  spec: agentSpec,
  mergedSpec: agentMergedSpec,
  status: agentStatus,
  columns: columns([
    column('Host', '.status.instances[0].host', 'Where its first instance runs.'),
    { ...column('PID', '.status.instances[0].pid', 'Process id of its first instance.'), type: 'integer' },
    wide('Phase', '.status.phase', 'The state in one word.'),
    wide('Instances', '.status.readyReplicas', 'Instances that run and report.', 'integer'),
    wide('Replicas', '.status.replicas', 'Instances that exist.', 'integer'),
    wide('Template', '.spec.templateRef.name', 'The template it names.'),
    wide('Project', '.spec.projectRef.name', 'The project it works for.'),
  ]),
  conditions: conditionTable({ healthy: ['Healthy'], others: ['Isolated'] }),
  reasons: [
    ...COMMON_REASONS,
    'Starting',
    'Stopped',
    'Failed',
    'CrashLoop',
    'HeartbeatMissed',
    'CommandNotFound',
    'SecretMissing',
    'NoHost',
    'ProcessOwnUser',
  ],
  volatile: [
    '/usage',
    '/instances/*/pid',
    '/instances/*/startedAt',
    '/instances/*/lastHeartbeatTime',
    '/instances/*/restartCount',
    '/instances/*/currentTask',
  ],
  references: (spec) => [...localReference(spec, 'templateRef', 'AgentTemplate'), ...agentReferences(spec)],
  files: agentFiles,
  check: checkAgentFields,
  checkMerged: wholeRuntimeProblems,
  example: `apiVersion: stateward.dev/v1alpha1
kind: Agent
metadata:
  name: sre
  labels: {team: platform}
spec:
  displayName: Athena
  agentId: "001"
  description: Watches alerts and proposes fixes.
  runtime:
    process:
      command: [node, sre.js]
      workdir: agents/sre
      env:
        - {name: LOG_LEVEL, value: info}
        - {name: PAGER_KEY, secretRef: {name: pager, key: token}}
  capabilities: [alerts, linux]
  replicas: 1
  hostSelector:
    matchLabels: {zone: local}
  heartbeat: {interval: 30s, timeout: 90s}
  restartPolicy: Always
`,
})
