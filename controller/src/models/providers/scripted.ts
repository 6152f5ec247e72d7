import { setTimeout as delay } from 'node:timers/promises'
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Message,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from '@ai-sdk/provider'
import type { ScriptRule } from '../../kinds/model-provider/script.schema.ts'
import { parseDuration } from '../../lib/duration.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import { ModelFailure } from './failure.ts'
import type { ToolNames } from './tool-names.ts'

/**
 * A provider whose answers stand in its document. It speaks the same interface as every other one, streams word by word, and
 * the same question has the same answer always.
 */
export function scriptedModel(
  script: readonly ScriptRule[],
  model: string,
  names: ToolNames,
): Pick<LanguageModelV4, 'doStream'> {
  return {
    async doStream(options) {
      const seen = look(options, names)
      const found = script
        .map((rule) => ({ reply: rule.reply, groups: matched(rule.match ?? {}, seen, { model, names }) }))
        .find(({ groups }) => groups !== null)
      if (found === undefined)
        throw new ModelFailure('error', `no rule of the script fits turn ${seen.turn} of this conversation`)
      const { reply, groups } = found
      if (reply.delay !== undefined)
        await delay(parseDuration(reply.delay), undefined, options.abortSignal ? { signal: options.abortSignal } : {})
      if (reply.error !== undefined)
        throw new ModelFailure(
          reply.error.status === 429 ? 'rateLimit' : reply.error.status === 408 ? 'timeout' : 'error',
          `${reply.error.status}: ${reply.error.message}`,
        )
      return { stream: streamOf(partsOf(reply, { ...seen, groups: groups! }, model, names)) }
    },
  }
}

interface Seen {
  readonly system: string
  readonly lastUser: string
  readonly turn: number
  /** Of the last message, when that holds results. */
  readonly results: readonly { readonly tool: string; readonly output: Json }[]
  readonly words: number
}

function look({ prompt }: LanguageModelV4CallOptions, names: ToolNames): Seen {
  const textOf = (message: LanguageModelV4Message): string =>
    message.role === 'system'
      ? message.content
      : message.role === 'user'
        ? message.content.map((part) => (part.type === 'text' ? part.text : '')).join('')
        : ''
  const users = prompt.filter(({ role }) => role === 'user')
  const last = prompt.at(-1)
  const results =
    last?.role === 'tool'
      ? last.content.flatMap((part) =>
          part.type === 'tool-result'
            ? [{ tool: names.ours(part.toolName), output: 'value' in part.output ? (part.output.value as Json) : null }]
            : [],
        )
      : []
  return {
    system: prompt
      .filter(({ role }) => role === 'system')
      .map(textOf)
      .join('\n'),
    lastUser: users.length === 0 ? '' : textOf(users.at(-1)!),
    turn: prompt.filter(({ role }) => role === 'assistant').length + 1,
    results,
    words: JSON.stringify(prompt).split(/\W+/).length,
  }
}

/** What the pattern found in the last message; null = the rule does not fit. */
function matched(
  match: NonNullable<ScriptRule['match']>,
  seen: Seen,
  { model, names }: { readonly model: string; readonly names: ToolNames },
): readonly string[] | null {
  if (match.model !== undefined && match.model !== model) return null
  if (match.turn !== undefined && match.turn !== seen.turn) return null
  if (match.system !== undefined && !new RegExp(match.system, 'i').test(seen.system)) return null
  if (match.toolResult !== undefined) {
    const { tool, contains } = match.toolResult
    const result = seen.results.find((one) => names.sent(one.tool) === names.sent(tool))
    if (result === undefined) return null
    if (contains !== undefined && !new RegExp(contains, 'i').test(JSON.stringify(result.output))) return null
  }
  if (match.lastMessage === undefined) return []
  const found = new RegExp(match.lastMessage, 'i').exec(seen.lastUser)
  return found === null ? null : [...found].slice(1).map((group) => group ?? '')
}

type Filled = Seen & { readonly groups: readonly string[] }

function fill(text: string, { groups, results }: Filled): string {
  return text.replace(/\{\{\s*(\d+|result)\s*\}\}/g, (_, word: string) => {
    if (word !== 'result') return groups[Number(word) - 1] ?? ''
    const last = results.at(-1)?.output
    return typeof last === 'string' ? last : JSON.stringify(last ?? null)
  })
}

function fillJson(value: Json, seen: Filled): Json {
  if (typeof value === 'string') return fill(value, seen)
  if (Array.isArray(value)) return value.map((item) => fillJson(item, seen))
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value as JsonObject).map(([key, member]) => [key, fillJson(member, seen)]))
  return value
}

function partsOf(
  reply: ScriptRule['reply'],
  seen: Filled,
  model: string,
  names: ToolNames,
): LanguageModelV4StreamPart[] {
  const text =
    reply.object !== undefined ? JSON.stringify(fillJson(reply.object as Json, seen)) : fill(reply.text ?? '', seen)
  const calls = reply.toolCalls ?? []
  const words = text.match(/\s*\S+\s*/g) ?? []
  return [
    { type: 'stream-start', warnings: [] },
    { type: 'response-metadata', modelId: reply.answeringModel ?? model },
    ...(text === ''
      ? []
      : [
          { type: 'text-start' as const, id: '1' },
          ...words.map((delta) => ({ type: 'text-delta' as const, id: '1', delta })),
          { type: 'text-end' as const, id: '1' },
        ]),
    ...calls.map(({ tool, input }, i) => ({
      type: 'tool-call' as const,
      toolCallId: `call-${seen.turn}-${i + 1}`,
      toolName: names.sent(tool),
      input: JSON.stringify(fillJson((input ?? {}) as Json, seen)),
    })),
    {
      type: 'finish',
      finishReason: { unified: calls.length > 0 ? 'tool-calls' : 'stop', raw: undefined },
      usage: usageOf(reply, seen.words, words.length + calls.length),
    },
  ]
}

function usageOf({ usage, reportsNoUsage }: ScriptRule['reply'], read: number, said: number): LanguageModelV4Usage {
  const tokens = (count: number | undefined) => ({
    total: count,
    noCache: count,
    cacheRead: undefined,
    cacheWrite: undefined,
  })
  const [input, output] =
    reportsNoUsage === true
      ? [undefined, undefined]
      : [usage?.inputTokens ?? read, usage?.outputTokens ?? Math.max(1, said)]
  return { inputTokens: tokens(input), outputTokens: { total: output, text: output, reasoning: undefined } }
}

function streamOf(parts: readonly LanguageModelV4StreamPart[]): ReadableStream<LanguageModelV4StreamPart> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part)
      controller.close()
    },
  })
}
