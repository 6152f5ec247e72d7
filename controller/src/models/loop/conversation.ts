import { sha256 } from '../../lib/digest.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import { schemaViolations, violationsText } from '../../lib/json-schema.ts'
import type { ModelTurnRow } from '../../store/queries/model-loops.ts'
import type { TaskRow } from '../../store/queries/tasks.ts'
import type { Message } from '../request.ts'

/** A conversation is worked out of what is recorded: whoever goes on with a loop says the same. Pure. */

function firstMessage({ prompt, inputs }: Pick<TaskRow, 'prompt' | 'inputs'>): string {
  const known = Object.keys(inputs).length === 0 ? '' : `\n\nInputs:\n${JSON.stringify(inputs, null, 2)}`
  return `${prompt}${known}`
}

export function instructions(
  systemPrompt: string | null,
  { goal, outputSchema }: { readonly goal: string | null; readonly outputSchema: JsonObject | null },
): string | null {
  const parts = [
    systemPrompt,
    goal === null ? null : `What you work towards for now: ${goal}`,
    outputSchema === null
      ? null
      : `Answer in the end with one JSON value and nothing else. It has to fit this JSON Schema:\n${JSON.stringify(outputSchema)}`,
  ].filter((part) => part !== null && part !== '')
  return parts.length === 0 ? null : parts.join('\n\n')
}

/** Everything that was said so far. */
export function messagesOf(task: Pick<TaskRow, 'prompt' | 'inputs'>, turns: readonly ModelTurnRow[]): Message[] {
  const messages: Message[] = [{ role: 'user', text: firstMessage(task) }]
  for (const { text, tool_calls, results, correction } of turns) {
    messages.push({ role: 'assistant', text, toolCalls: tool_calls })
    if (results !== null && results.length > 0) messages.push({ role: 'tool', results })
    if (correction !== null) messages.push({ role: 'user', text: correction })
  }
  return messages
}

export type Verdict =
  | { readonly kind: 'fits'; readonly output: unknown }
  | { readonly kind: 'misfit'; readonly problem: string }

/** What the last answer is as the result of the task: its text, or the JSON the schema asks for. */
export function verdictOf(text: string, schema: JsonObject | null): Verdict {
  if (schema === null) return { kind: 'fits', output: { text } }
  const parsed = jsonIn(text)
  if (parsed === undefined) return { kind: 'misfit', problem: 'it is no JSON' }
  const violations = schemaViolations(schema, parsed)
  return violations.length === 0
    ? { kind: 'fits', output: parsed }
    : { kind: 'misfit', problem: violationsText(violations) }
}

/** The value, also when it stands in a block of code, or behind some words. */
function jsonIn(text: string): unknown {
  const block = /```(?:json)?\s*([\s\S]*?)```/.exec(text)?.[1]
  const from = text.search(/[[{]/)
  const to = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']'))
  for (const part of [text, block, from === -1 ? undefined : text.slice(from, to + 1)]) {
    if (part === undefined) continue
    try {
      return JSON.parse(part)
    } catch {
      // The next one may be one.
    }
  }
  return undefined
}

export const correctionOf = (problem: string): string =>
  `Your answer does not fit: ${problem}. Answer again with the corrected JSON value and nothing else.`

/** The id of a call of a tool: the same whoever goes on with the loop. */
export function toolCallId(taskId: string, attempt: number, turn: number, callNo: number): string {
  const hex = sha256(`${taskId}/${attempt}/${turn}/${callNo}`)
  // A UUID of version 8: its bits are ours.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** Spent so far. */
export function totalsOf(turns: readonly ModelTurnRow[]): { readonly tokens: number; readonly cost: bigint } {
  return {
    tokens: turns.reduce((sum, { tokens }) => sum + tokens, 0),
    cost: turns.reduce((sum, { cost }) => sum + cost, 0n),
  }
}

/** A model may put anything into its answer; only an object may be told as one. */
function _outputOf(value: unknown): JsonObject {
  return isObject(value) ? (value as JsonObject) : { value: value as JsonObject }
}
