import type { AgentSpec } from '../kinds/agent/agent.schema.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { BULK_ROWS, type TaskRow } from '../store/queries/tasks.ts'
import type { Redact } from './redaction.ts'
import { completed, failed, type TaskOutcome } from './task-outcome.ts'

/** A task as agents get it, on the bus and on stdin. */
export interface TaskMessage {
  readonly task_id: string
  readonly attempt: number
  readonly run_id: string | null
  readonly step_id: string | null
  readonly prompt: string
  readonly inputs: JsonObject
  readonly output_schema: JsonObject | null
  /** The task's own folder. */
  readonly workspace: string
  /** UTC, ISO 8601 with milliseconds. */
  readonly deadline: string | null
  readonly correlation_id: string
  /** Names this attempt of this step: an effect done under it once need not be done again. */
  readonly idempotency_key: string
  /** Globs of the tools it may use for it; null = its agent is not constrained. */
  readonly tools: readonly string[] | null
  /** bulk: in the database itself (STATEWARD_DATABASE_URL, where the host says so); bus: over the API. */
  readonly data_access: 'bus' | 'bulk'
  /** What its agent works towards for now, over what the prompt says. */
  readonly goal: string | null
}

export function messageOf(
  task: TaskRow,
  workspace: string,
  agent: Pick<AgentSpec, 'constraints' | 'goal'> | undefined,
): TaskMessage {
  return {
    task_id: task.task_id,
    attempt: task.attempt,
    run_id: task.run_id,
    step_id: task.step_id,
    prompt: task.prompt,
    inputs: task.inputs,
    output_schema: task.output_schema,
    workspace,
    deadline: task.deadline?.toISOString() ?? null,
    correlation_id: task.correlation_id,
    idempotency_key: `${task.run_id ?? task.task_id}/${task.path ?? 'task'}/${task.attempt}`,
    tools: agent?.constraints?.tools ?? null,
    data_access: isBulk(task) ? 'bulk' : 'bus',
    goal: agent?.goal ?? null,
  }
}

/** Done row by row over the API it would take forever, so it is done next to the database. */
export function isBulk({ expected_rows: rows }: Pick<TaskRow, 'expected_rows'>): boolean {
  return rows !== null && rows >= BULK_ROWS
}

/** What a command reads before the end of its input: one line of JSON, or the prompt alone, the goal before it. */
export function stdinOf(message: TaskMessage, form: 'json' | 'prompt'): string {
  const { goal, prompt } = message
  if (form === 'prompt') return goal === null ? prompt : `${goal}\n\n${prompt}`
  return `${JSON.stringify({ protocol: 1, ...message })}\n`
}

/** A failure that is worth another try. */
const RETRYABLE_EXIT = 75

export interface CommandResult {
  readonly exitCode: number
  /** Bytes the command printed. */
  readonly outputBytes: number
  readonly output: Uint8Array
  /** The end of its log. */
  readonly log: string
}

/**
 * Reads a command's result. Exit 0 means success: with an output schema stdout must be JSON that fits it; without one a
 * JSON object or array is the output and anything else becomes `{text}`. Exit 75 is a failure worth another try, any
 * other code a failure; its message is the end of the log. Pure.
 */
export function outcomeOf(
  result: CommandResult,
  options: { readonly schema: JsonObject | null; readonly maxOutputBytes: number; readonly redact: Redact },
): TaskOutcome {
  const { schema, redact, maxOutputBytes } = options
  if (result.exitCode !== 0) {
    const said = result.log.trim()
    const message = said === '' ? `the command ended with exit code ${result.exitCode}` : said
    return failed('agent_failed', message, redact, result.exitCode === RETRYABLE_EXIT)
  }
  if (result.outputBytes > maxOutputBytes) return tooLarge(maxOutputBytes, redact)
  // Bytes that are not UTF-8 become U+FFFD here, as NUL does later.
  const text = new TextDecoder('utf-8', { ignoreBOM: false }).decode(result.output)
  const replaced = text.includes('\uFFFD')
  const parsed = parse(text)
  if (schema !== null && parsed === undefined) {
    return failed('invalid_output', 'the step has an outputSchema, and what the command printed is not JSON', redact)
  }
  const isStructure = typeof parsed === 'object' && parsed !== null
  const output: Json =
    parsed !== undefined && (schema !== null || isStructure) ? parsed : { text: text.replace(/\r?\n$/, '') }
  const outcome = completed(output, schema, redact)
  return replaced ? { ...outcome, sanitized: true } : outcome
}

export function tooLarge(maxOutputBytes: number, redact: Redact): TaskOutcome {
  return failed('output_too_large', `the command printed more than ${maxOutputBytes} bytes`, redact)
}

export function timedOut(deadline: Date, redact: Redact): TaskOutcome {
  return failed('deadline_exceeded', `the task was not done by ${deadline.toISOString()}`, redact)
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
