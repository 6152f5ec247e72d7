import { setTimeout as delay } from 'node:timers/promises'
import { sha256 } from '../../lib/digest.ts'
import { errorMessage, StatewardError } from '../../lib/errors.ts'
import { followAbort } from '../../lib/following-abort.ts'
import type { Json } from '../../lib/json.ts'
import type { Tx } from '../../store/database.ts'
import {
  completeTurn,
  endLoop,
  loopOf,
  type ModelLoopRow,
  type ModelTurnRow,
  modelOfStep,
  promptFile,
  turnsOf,
} from '../../store/queries/model-loops.ts'
import { type TaskRow, taskById } from '../../store/queries/tasks.ts'
import { transact } from '../../store/transact.ts'
import type { GatewayAnswer } from '../gateway-answer.ts'
import type { ModelRequest } from '../request.ts'
import { correctionOf, instructions, messagesOf, toolCallId, totalsOf, verdictOf } from './conversation.ts'
import { LogLines } from './log-lines.ts'
import { leaveOpenCalls, waitsForSomebody } from './open-calls.ts'
import type { LoopDeps, ModelAgent, TaskEnd } from './ports.ts'

/** While its agent is paused, a loop stands between two turns. */
const PAUSED_MS = 500
const OVER = Symbol('the time of the task is over')

/**
 * Turns one loop to its end: the model answers, its calls of tools are made, their results are told to it. Every answer is
 * recorded with the end of its call, every call of a tool under an id that follows from the turn: a process that takes the loop
 * over asks nothing and calls nothing again that has a recorded end. What the agent is told to be (its instructions, model,
 * limits, tools) is read anew before each turn; cancelling and pausing take effect there, too.
 */
export async function runLoop(deps: LoopDeps, taken: ModelLoopRow, signal: AbortSignal): Promise<void> {
  const { store } = deps
  let loop = taken
  const told = new Set<string>()
  let turns: readonly ModelTurnRow[] = await turnsOf(store.engine, loop)
  for (;;) {
    signal.throwIfAborted()
    const task = await taskById(store.engine, loop.task_id)
    if (task === null || task.status !== 'leased' || task.attempt !== loop.attempt) {
      await transact(store, (tx) => leave(tx, deps, loop))
      return
    }
    const agent = deps.agent(loop.namespace, loop.agent)
    if (agent === null) {
      await end(deps, loop, task, failed('agent_removed', `agent ${loop.agent} is not there any more`))
      return
    }
    if (agent.suspended) {
      await delay(PAUSED_MS, undefined, { signal })
      continue
    }
    if (
      await waitsForSomebody(deps, { loop, task, turn: turns.at(-1), deadline: deadlineOf(task, loop, agent) }, told)
    ) {
      await delay(PAUSED_MS, undefined, { signal })
      // The time in which somebody was asked is not its own.
      loop = (await loopOf(store.engine, loop)) ?? loop
      continue
    }
    const deadline = deadlineOf(task, loop, agent)
    const ended = await one(deps, { loop, task, agent, turns, deadline, told }, signal)
    if (ended !== null) {
      await end(deps, loop, task, ended)
      return
    }
    turns = await turnsOf(store.engine, loop)
  }
}

interface Turning {
  readonly loop: ModelLoopRow
  readonly task: TaskRow
  readonly agent: ModelAgent
  readonly turns: readonly ModelTurnRow[]
  readonly deadline: Date
  /** What the log of the task was told. */
  readonly told: Set<string>
}

/** Goes on by one step; how the task ended, or null. */
async function one(deps: LoopDeps, turning: Turning, signal: AbortSignal): Promise<TaskEnd | null> {
  const { store } = deps
  const { task, agent, turns, deadline } = turning
  const left = deadline.getTime() - store.clock.now().getTime()
  if (left <= 0) return failed('deadline_exceeded', 'the task ran out of time')
  const stop = followAbort(signal)
  const timer = setTimeout(() => stop.abort(OVER), Math.min(left, 2 ** 31 - 1))
  try {
    const last = turns.at(-1)
    if (last !== undefined && last.results === null && last.correction === null) {
      if (last.tool_calls.length > 0) return await callTools(deps, turning, last, stop.signal)
      const verdict = verdictOf(last.text, task.output_schema ?? agent.outputSchema)
      if (verdict.kind === 'fits') return { status: 'completed', output: verdict.output as Json }
      if (turns.length >= agent.maxTurns)
        return failed('invalid_output', `the answer does not fit the outputSchema: ${verdict.problem}`)
      deps.log(task, `turn ${last.turn} is corrected: ${verdict.problem}`)
      await transact(store, (tx) =>
        completeTurn(tx, last, { results: null, correction: correctionOf(verdict.problem) }),
      )
      return null
    }
    const over = limitReached(turning)
    if (over !== null) return over
    await askTurn(deps, turning, stop.signal)
    return null
  } catch (error) {
    if (stop.signal.reason === OVER) return failed('deadline_exceeded', 'the task ran out of time')
    if (signal.aborted) throw signal.reason
    if (error instanceof StatewardError && error.ref !== 'SW_LEASE_LOST' && error.ref !== 'SW_DATABASE_UNREACHABLE')
      return { ...failed(error.code, error.message), retryable: error.ref === 'SW_MODELS_FAILED' }
    throw error
  } finally {
    clearTimeout(timer)
    stop.end()
  }
}

function limitReached({ agent, turns }: Turning): TaskEnd | null {
  if (turns.length >= agent.maxTurns)
    return failed('max_turns_exceeded', `it has not come to an end within ${agent.maxTurns} turns`)
  const { tokens } = totalsOf(turns)
  if (agent.maxTotalTokens !== null && tokens >= agent.maxTotalTokens)
    return failed('max_tokens_exceeded', `${tokens} tokens are used, ${agent.maxTotalTokens} are allowed`)
  return null
}

async function askTurn(deps: LoopDeps, turning: Turning, signal: AbortSignal): Promise<void> {
  const { store } = deps
  const { loop, task, turns } = turning
  const number = turns.length + 1
  const system = await systemOf(deps, turning)
  const request = await requestOf(deps, turning, system, number)
  const lines = new LogLines((line) => deps.log(task, `turn ${number} | ${line}`))
  const answer = await deps.gateway().invoke(request, {
    signal,
    onText: (delta) => lines.add(delta),
    onRestart: ({ provider, model, message }) => {
      lines.end()
      deps.log(task, `turn ${number}: ${provider}/${model} did not answer: ${message}`)
    },
    onWait: (why, until) => deps.log(task, `turn ${number} waits until ${until.toISOString()}: ${why}`),
    turnOf: (said) => ({
      task_id: loop.task_id,
      attempt: loop.attempt,
      turn: number,
      call_id: said.callId,
      text: clean(said.text),
      tool_calls: said.toolCalls,
      results: null,
      correction: null,
      tokens: said.usage === null ? 0 : said.usage.inputTokens + said.usage.outputTokens,
      cost: said.costNanoUsd,
      prompt_digest: sha256(system ?? ''),
      at: store.clock.now(),
    }),
  })
  lines.end()
  deps.log(task, `turn ${number}: ${label(answer)} answered in ${answer.latencyMs} ms (${answer.finishReason})`)
}

/** Postgres takes no such text. */
const clean = (text: string): string => text.replaceAll('\u0000', '\uFFFD').toWellFormed()

function label({ provider, providerType, modelAsked, modelAnswered }: GatewayAnswer): string {
  const model = modelAnswered ?? modelAsked
  return providerType === 'scripted' ? `${provider}/${model} (scripted)` : `${provider}/${model}`
}

async function systemOf({ store }: LoopDeps, { agent, task }: Turning): Promise<string | null> {
  const file = agent.hasPromptFile ? ((await promptFile(store.engine, agent))?.content ?? null) : null
  const outputSchema = task.output_schema ?? agent.outputSchema
  return instructions(file ?? agent.systemPrompt, { goal: agent.goal, outputSchema })
}

async function requestOf(
  { store }: LoopDeps,
  { task, agent, turns }: Turning,
  system: string | null,
  turn: number,
): Promise<ModelRequest> {
  const step = await modelOfStep(store.engine, task)
  const { cost } = totalsOf(turns)
  return {
    asker: {
      namespace: task.namespace,
      actor: `agent:${task.namespace}/${task.agent}`,
      correlationId: task.correlation_id,
      agent: task.agent,
      agentClass: agent.agentClass,
      run: task.run_id === null ? null : { id: task.run_id, name: task.run_id },
      blueprint: null,
      step: task.path,
      stepId: task.step_id,
      taskId: task.task_id,
      turn,
      revision: agent.revision,
    },
    system,
    messages: messagesOf(task, turns),
    tools: agent.tools,
    outputSchema: agent.tools.length > 0 ? null : (task.output_schema ?? agent.outputSchema),
    maxTokens: agent.maxTokens,
    temperature: agent.temperature,
    route: agent.route,
    provider: step.provider ?? agent.provider,
    model: step.model ?? agent.model,
    taskClass: agent.taskClass,
    complexity: null,
    privacy: agent.privacy,
    maxNanoUsd: agent.maxNanoUsd === null ? null : agent.maxNanoUsd > cost ? agent.maxNanoUsd - cost : 0n,
    urgency: task.run_id === null ? 5 : 4,
    withoutMoney: 'wait',
  }
}

/** The calls of a turn, one after the other; null = the model is told what they came to. */
async function callTools(
  deps: LoopDeps,
  { loop, task, agent, deadline, told: logged }: Turning,
  turn: ModelTurnRow,
  signal: AbortSignal,
): Promise<TaskEnd | null> {
  const results: NonNullable<ModelTurnRow['results']>[number][] = []
  for (const [index, call] of turn.tool_calls.entries()) {
    const callNo = index + 1
    // Cancelled meanwhile: what has not begun does not begin.
    if (index > 0 && (await taskById(deps.store.engine, task.task_id))?.status !== 'leased') return null
    const told = (output: Json, isError: boolean) => results.push({ id: call.id, tool: call.tool, output, isError })
    if (!agent.tools.some(({ name }) => name === call.tool)) {
      told({ error: `there is no tool ${call.tool} for you` }, true)
      continue
    }
    const id = toolCallId(loop.task_id, loop.attempt, turn.turn, callNo)
    if (!logged.has(id))
      deps.log(task, `turn ${turn.turn} calls ${call.tool} ${deps.redact(JSON.stringify(call.input)).slice(0, 500)}`)
    logged.add(id)
    const end = await deps.callTool(
      {
        id,
        tool: call.tool,
        input: call.input,
        namespace: task.namespace,
        agent: task.agent,
        run:
          task.run_id === null || task.path === null
            ? null
            : { id: task.run_id, step: task.path, attempt: task.attempt },
        taskId: task.task_id,
        turn: turn.turn,
        callNo,
        correlationId: task.correlation_id,
        deadline,
      },
      signal,
    )
    // It is looked at anew: whoever decides takes his time.
    if (end.status === 'waiting') return null
    if (end.status === 'undecided' && (task.deadline === null || task.deadline > deps.store.clock.now())) return null
    if (end.status === 'unknown' || end.status === 'undecided' || end.error?.code === 'effect_unknown')
      return failed('effect_unknown', end.error?.message ?? `nobody knows whether ${call.tool} took effect`)
    if (end.status === 'open') return failed('deadline_exceeded', `the call of ${call.tool} did not end in time`)
    if (end.status === 'succeeded') told(end.output, false)
    else told({ error: end.error?.message ?? end.status, code: end.error?.code ?? end.status }, true)
    if (end.status !== 'succeeded')
      deps.log(task, `turn ${turn.turn}: ${call.tool} ${end.status}: ${end.error?.message ?? ''}`)
  }
  await transact(deps.store, (tx) => completeTurn(tx, turn, { results, correction: null }))
  return null
}

function deadlineOf(task: TaskRow, loop: ModelLoopRow, { timeoutMs }: ModelAgent): Date {
  const own = new Date(loop.started_at.getTime() + timeoutMs)
  return task.deadline !== null && task.deadline < own ? task.deadline : own
}

function failed(code: string, message: string): TaskEnd & { readonly status: 'failed' } {
  return { status: 'failed', code, message: errorMessage(message), retryable: false }
}

/** Nobody turns it any more, and nothing is to be decided for it. */
async function leave(tx: Tx, deps: LoopDeps, loop: ModelLoopRow): Promise<void> {
  await leaveOpenCalls(tx, deps, loop)
  await endLoop(tx, loop, deps.store.clock.now())
}

async function end(deps: LoopDeps, loop: ModelLoopRow, task: TaskRow, how: TaskEnd): Promise<void> {
  if (how.status === 'failed') deps.log(task, `failed: ${how.message}`)
  await deps.endTask(task, how, (tx) => leave(tx, deps, loop))
}
