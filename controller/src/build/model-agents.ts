import { join } from 'node:path'
import { agentActor, taskEvent } from '../agents/events.ts'
import { redactor } from '../agents/redaction.ts'
import { allowance } from '../agents/task-allowance.ts'
import { completed, failed } from '../agents/task-outcome.ts'
import { announce, appendChanges, settleTask } from '../agents/tasks.ts'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../lib/errors.ts'
import { globMatches } from '../lib/glob.ts'
import { isObject, type Json, type JsonObject, valueAt } from '../lib/json.ts'
import { parseUsd } from '../lib/usd.ts'
import { ModelAgents } from '../models/loop/model-agents.ts'
import type { LoopDeps, ModelAgent, TaskEnd, ToolCallEnd, ToolCallRequest } from '../models/loop/ports.ts'
import type { OfferedTool, Privacy } from '../models/request.ts'
import type { AgentReconcilerDeps } from '../reconcile/kinds/agent.ts'
import type { World, WorldObject } from '../reconcile/world.ts'
import { createRunFolders } from '../runs/run-folders.ts'
import { keepPromptFile, promptFile } from '../store/queries/model-loops.ts'
import { lockTask, type TaskRow } from '../store/queries/tasks.ts'
import { isUndecided } from '../store/queries/tool-calls.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import type { Core } from './core.ts'
import { PARSE_OPTIONS } from './parse-options.ts'
import type { OpenSource } from './source.ts'

/** Where the logs of tasks of models are, in the form of those of runs. */
export const modelLogsFolder = (data: string): string => join(data, 'model-tasks')

/** Between looks at a call that runs, which may have come to wait for somebody. */
const LOOK_MS = 1_000

/** Tasks that a provider named by a step works on at once. */
const PROVIDER_TASKS = 8

/** Agents that are models, in a process with the role worker. */
export function makeModelAgents(core: Core): ModelAgents {
  const { store, world, parts, config, log, clock, known, toolCalls } = core
  const logs = createRunFolders(modelLogsFolder(config.data), log)
  const runs = createRunFolders(config.data, log)
  const deps: LoopDeps = {
    store,
    gateway() {
      if (parts.gateway === null) throw fail('SW_NOT_READY', 'models are not there yet')
      return parts.gateway
    },
    agent: (namespace, name) => modelAgentOf(core, namespace, name),
    hasAgents: () => world.ofKind('ModelProvider').size > 0,
    callTool: (call, signal) => callTool(toolCalls, call, signal),
    leaveCalls: (tx, ids) => toolCalls.leave(tx, ids),
    allowance: (tx, agent, max, now) =>
      allowance(tx, agent, constraintsOf(world, agent.namespace, agent.name), max, now),
    leasedEvent: (task, at) => taskEvent('leased', task, at, {}, agentActor(task)),
    endTask: (task, end, also) => endTask(core, task, end, also),
    log(task, line) {
      const said = {
        time: clock.now().toISOString(),
        step: task.path ?? task.agent,
        attempt: task.attempt,
        line: known.redact(line),
      }
      logs.log(task.task_id, said)
      if (task.run_id !== null) runs.log(task.run_id, said)
    },
    redact: (text) => known.redact(text),
  }
  return new ModelAgents(deps)
}

/** An agent with runtime.model; else a provider that a step names where there is no such agent. */
function modelAgentOf(core: Pick<Core, 'world' | 'tools'>, namespace: string, name: string): ModelAgent | null {
  const { world } = core
  const object = world.get(`Agent/${namespace}/${name}`)
  if (object === undefined) return providerAgent(world, namespace, name)
  if (object.deleting) return null
  const spec = world.effective(object)
  const model = valueAt(spec, '/runtime/model')
  if (!isObject(model)) return null
  const text = (field: string): string | null => (typeof model[field] === 'string' ? (model[field] as string) : null)
  const count = (field: string): number | null => (typeof model[field] === 'number' ? (model[field] as number) : null)
  const { maxUsd } = model
  return {
    namespace,
    name,
    replicas: Number(spec['replicas'] ?? 1),
    suspended: spec['suspend'] === true,
    agentClass: object.labels['class'] ?? null,
    provider: text('provider'),
    model: text('model'),
    route: text('route'),
    systemPrompt: text('systemPrompt'),
    hasPromptFile: isObject(model['systemPromptFrom']),
    goal: typeof spec['goal'] === 'string' ? spec['goal'] : null,
    outputSchema: isObject(model['outputSchema']) ? (model['outputSchema'] as JsonObject) : null,
    maxTurns: count('maxTurns') ?? 20,
    maxTokens: count('maxTokens'),
    maxTotalTokens: count('maxTotalTokens'),
    temperature: count('temperature'),
    timeoutMs: parseDuration(text('timeout') ?? '30m'),
    maxNanoUsd: typeof maxUsd === 'string' || typeof maxUsd === 'number' ? parseUsd(maxUsd) : null,
    taskClass: text('taskClass'),
    privacy: (text('privacy') ?? 'any') as Privacy,
    tools: offeredTools(core, spec, namespace, Array.isArray(model['tools']) ? model['tools'].map(String) : []),
    revision: object.lastAppliedRevision,
  }
}

function providerAgent(world: World, namespace: string, name: string): ModelAgent | null {
  const provider = world.get(`ModelProvider/${name}`)
  if (provider === undefined || provider.deleting) return null
  const nothing = {
    model: null,
    route: null,
    systemPrompt: null,
    goal: null,
    outputSchema: null,
    taskClass: null,
  } as const
  return {
    ...nothing,
    ...{ namespace, name, provider: name, agentClass: null, hasPromptFile: false, tools: [], privacy: 'any' },
    replicas: PROVIDER_TASKS,
    suspended: world.effective(provider)['suspend'] === true || world.frozen !== null,
    maxTurns: 3,
    maxTokens: null,
    maxTotalTokens: null,
    temperature: null,
    timeoutMs: parseDuration('30m'),
    maxNanoUsd: null,
    revision: provider.lastAppliedRevision,
  }
}

/** What its globs name, as far as its capabilities cover it and its constraints let it. */
function offeredTools(
  { tools }: Pick<Core, 'tools'>,
  spec: JsonObject,
  namespace: string,
  globs: readonly string[],
): OfferedTool[] {
  if (globs.length === 0) return []
  const capabilities = Array.isArray(spec['capabilities']) ? spec['capabilities'].map(String) : []
  const limit = valueAt(spec, '/constraints/tools')
  const allowed = Array.isArray(limit) ? limit.map(String) : null
  const named = (list: readonly string[], name: string) => list.some((glob) => globMatches(glob, name))
  return tools
    .all(namespace)
    .filter(({ name }) => named(globs, name) && (allowed === null || named(allowed, name)))
    .filter(({ permissions = [] }) =>
      permissions.every((one) => capabilities.some((word) => one === word || one.startsWith(`${word}.`))),
    )
    .map(({ name, description, inputSchema }) => ({ name, description, inputSchema }))
}

function constraintsOf(world: World, namespace: string, name: string) {
  const object = world.get(`Agent/${namespace}/${name}`)
  if (object === undefined) return undefined
  const { constraints } = world.effective(object) as { constraints?: { maxTasks?: number; tasksPerMinute?: number } }
  return constraints
}

async function callTool(calls: Core['toolCalls'], call: ToolCallRequest, signal: AbortSignal): Promise<ToolCallEnd> {
  const { id, tool, input, namespace, agent, run, taskId, turn, callNo, correlationId, deadline } = call
  const invocation = {
    ...{ id, tool, input, namespace, actor: `agent:${namespace}/${agent}`, agent, run },
    ...{ taskId, turn, callNo, correlationId, deadline },
  }
  const left = () => Math.max(0, deadline.getTime() - Date.now())
  const look = () => calls.invoke(invocation, { waitMs: Math.min(LOOK_MS, left()), signal, cancel: signal })
  try {
    let row = await look()
    while (row.state === 'running' && left() > 0 && !signal.aborted) row = await look()
    signal.throwIfAborted()
    const error = isObject(row.error)
      ? { code: String(row.error['code'] ?? 'failed'), message: String(row.error['message'] ?? '') }
      : null
    const status = row.state === 'running' ? 'open' : isUndecided(row) ? 'undecided' : row.state
    return { status, output: row.output as Json, error }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    // Nothing was recorded: the model is told what is wrong with its call.
    if (error instanceof StatewardError && ['SW_TOOL_UNKNOWN', 'SW_VALIDATION_FAILED'].includes(error.ref))
      return { status: 'refused', output: null, error: { code: error.code, message: errorMessage(error) } }
    throw error
  }
}

async function endTask(
  { store, parts, known }: Core,
  task: TaskRow,
  end: TaskEnd,
  also: Parameters<LoopDeps['endTask']>[2],
): Promise<void> {
  const redact = known.isEmpty ? redactor([]) : (text: string) => known.redact(text)
  const outcome =
    end.status === 'completed'
      ? completed(end.output, task.output_schema, redact)
      : failed(end.code, end.message, redact, end.retryable)
  const change = await transact(store, async (tx) => {
    await also(tx)
    const current = await lockTask(tx, task.task_id)
    const attempt = { ...task, instance_id: current?.instance_id ?? null }
    const made = await settleTask(tx, store, attempt, outcome, 'agent')
    await appendChanges(tx, store, [made])
    return made
  })
  if (parts.agents !== null) announce(parts.agents.fleet, [change])
}

/** What the reconciler of agents asks about those that are models. */
export function modelAgentDeps(core: Core, source: OpenSource): Pick<AgentReconcilerDeps, 'keepPrompt' | 'whoAnswers'> {
  const { store } = core
  return {
    keepPrompt: promptKeeper(store, source),
    whoAnswers(object) {
      const agent = modelAgentOf(core, object.namespace, object.name)
      const gateway = core.parts.gateway
      if (agent === null || gateway === null) return { text: '', problem: 'models are not there yet' }
      try {
        const { candidates, skipped } = gateway.route(probeOf(agent))
        const [first] = candidates
        if (first === undefined)
          return {
            text: '',
            problem: `no model answers: ${skipped.map(({ provider, why }) => `${provider}: ${why}`).join('; ') || 'there is no ModelProvider'}`,
          }
        const label = first.provider.spec.type === 'scripted' ? ' (scripted)' : ''
        return { text: `${first.provider.name}/${first.model}${label}`, problem: null }
      } catch (error) {
        return { text: '', problem: errorMessage(error) }
      }
    },
  }
}

function probeOf(agent: ModelAgent) {
  return {
    asker: {
      ...{ namespace: agent.namespace, actor: 'system:controller', correlationId: agent.name, agent: agent.name },
      ...{ agentClass: agent.agentClass, run: null, blueprint: null, step: null, stepId: null, taskId: null },
      ...{ turn: null, revision: null },
    },
    ...{ system: null, messages: [], tools: [], outputSchema: null, maxTokens: agent.maxTokens, temperature: null },
    ...{ route: agent.route, provider: agent.provider, model: agent.model, taskClass: agent.taskClass },
    ...{ complexity: 'medium' as const, privacy: agent.privacy, maxNanoUsd: agent.maxNanoUsd, urgency: 9 },
    withoutMoney: 'fail' as const,
  }
}

function promptKeeper(store: Store, source: OpenSource) {
  return async (object: WorldObject, path: string): Promise<boolean> => {
    const oid = await source.treeOf(object, path)
    if (oid === null) return false
    if ((await promptFile(store.reader, object))?.oid === oid) return true
    const file = { path, oid, mode: '100644' }
    for await (const { bytes } of source.source.read([file], { maxBytes: PARSE_OPTIONS.limits.maxFileBytes })) {
      if (bytes === null) return false
      const content = new TextDecoder().decode(bytes)
      await transact(store, (tx) => keepPromptFile(tx, object, { oid, content }, store.clock.now()))
    }
    return true
  }
}
