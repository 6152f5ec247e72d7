import type { ModelProviderSpec, ModelSpec } from '../../kinds/model-provider/model-provider.schema.ts'
import { followAbort } from '../../lib/following-abort.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import type { Asked } from '../ask-model.ts'
import { addressOf, openAiAddress } from '../providers/connect.ts'
import { ModelFailure, statusFailure } from '../providers/failure.ts'
import { objectOf } from './fields.ts'
import { takeEvent, takeWhole } from './gather.ts'
import { Gathered } from './gathered.ts'
import type { WireFormat, WireQuestion } from './question.ts'
import { dataOf, SseBlocks } from './sse-blocks.ts'

interface PassOn {
  readonly question: WireQuestion
  readonly spec: ModelProviderSpec
  readonly model: string
  readonly modelSpec: ModelSpec | undefined
  readonly key: string | null
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly traceparent: string
}

/** An answer that was passed on as it came. */
export interface Passed extends Asked {
  /** The whole of it; null = it was streamed. */
  readonly passed: JsonObject | null
}

/**
 * Hands a question to a provider that speaks its format, and its answer back: nothing is lost on the way that only the two of
 * them understand. What is changed is the name of the model and the longest answer. Throws a ModelFailure.
 */
export async function passOn(ask: PassOn): Promise<Passed> {
  const { question, timeoutMs, signal } = ask
  const stop = followAbort(signal)
  const into = new Gathered()
  const state = { hasBegun: false }
  // Long answers take their time: what may not last is silence.
  const late = () => stop.abort(new ModelFailure('timeout', `it said nothing for ${timeoutMs} ms`, { begun: true }))
  const timer = setTimeout(late, timeoutMs)
  const startedAt = performance.now()
  try {
    const response = await fetch(urlOf(ask), {
      method: 'POST',
      headers: headersOf(ask),
      body: JSON.stringify(bodyOf(ask)),
      signal: stop.signal,
      redirect: 'error',
    })
    if (!response.ok) throw statusFailure(response.status, response.headers, await response.text())
    const firstMs = performance.now() - startedAt
    let passed: JsonObject | null = null
    if (question.stream === null) {
      passed = objectOf(await response.json()) as JsonObject
      takeWhole(question.format, passed, into)
    } else {
      await stream(response, question, into, () => {
        state.hasBegun = true
        timer.refresh()
      })
    }
    if (into.problem !== null) throw new ModelFailure('error', into.problem, { begun: true })
    if (!into.isDone) throw new ModelFailure('error', 'the stream ended before the answer did', { begun: true })
    const { text, toolCalls, usage, modelAnswered, finishReason } = into
    return {
      text,
      toolCalls,
      usage,
      modelAnswered,
      finishReason: reasonOf(finishReason, toolCalls.length > 0),
      firstMs,
      passed,
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (stop.signal.aborted) throw stop.signal.reason
    if (error instanceof ModelFailure) throw error
    const { message, cause } = error as Error
    const why = cause instanceof Error ? `${message}: ${cause.message}` : message
    const { hasBegun } = state
    throw new ModelFailure('error', hasBegun ? `the answer broke off: ${why}` : why, { begun: hasBegun, by: error })
  } finally {
    clearTimeout(timer)
    stop.end()
  }
}

async function stream(
  response: Response,
  { format, body, stream }: WireQuestion,
  into: Gathered,
  onChunk: () => void,
): Promise<void> {
  const blocks = new SseBlocks()
  const decoder = new TextDecoder()
  const wantsUsage = objectOf(body['stream_options'])['include_usage'] === true
  for await (const chunk of response.body ?? []) {
    onChunk()
    for (const block of blocks.take(decoder.decode(chunk as Uint8Array, { stream: true }))) {
      const event = dataOf(block)
      takeEvent(format, event, into)
      // It was asked for by us.
      if (format === 'chat' && !wantsUsage && isUsageAlone(event)) continue
      stream?.write(block)
    }
  }
  if (blocks.rest.trim() !== '') stream?.write(`${blocks.rest}\n\n`)
}

const isUsageAlone = (event: unknown): boolean =>
  isObject(event) && Array.isArray(event['choices']) && event['choices'].length === 0 && isObject(event['usage'])

const PATHS: Readonly<Record<WireFormat, string>> = {
  messages: '/messages',
  chat: '/chat/completions',
  responses: '/responses',
}

function urlOf({ spec, question: { format, query } }: PassOn): string {
  const own = spec.type === 'anthropic' ? 'https://api.anthropic.com/v1' : 'https://api.openai.com/v1'
  const address = spec.type === 'llama-cpp' ? openAiAddress(spec) : (addressOf(spec) ?? own)
  return `${address}${PATHS[format]}${query}`
}

function headersOf({ spec, question, key, traceparent }: PassOn): Record<string, string> {
  const isAnthropic = spec.type === 'anthropic'
  const credential: Record<string, string> =
    key === null ? {} : isAnthropic ? { 'x-api-key': key } : { authorization: `Bearer ${key}` }
  return {
    ...(isAnthropic ? { 'anthropic-version': '2023-06-01' } : {}),
    ...question.headers,
    ...credential,
    'content-type': 'application/json',
    traceparent,
  }
}

function bodyOf({ question: { format, body, stream }, model, modelSpec }: PassOn): JsonObject {
  const field =
    format === 'messages'
      ? 'max_tokens'
      : format === 'responses'
        ? 'max_output_tokens'
        : body['max_tokens'] === undefined
          ? 'max_completion_tokens'
          : 'max_tokens'
  const asked = typeof body[field] === 'number' ? (body[field] as number) : null
  const most = modelSpec?.maxTokens
  const longest = most === undefined ? asked : Math.min(asked ?? most, most)
  return {
    ...body,
    model,
    ...(longest === null ? {} : { [field]: longest }),
    ...(format === 'chat' && stream !== null
      ? { stream_options: { ...(objectOf(body['stream_options']) as JsonObject), include_usage: true } }
      : {}),
  }
}

/** In the words calls are recorded with. */
function reasonOf(reason: string | null, hasCalls: boolean): string {
  switch (reason) {
    case 'end_turn':
    case 'stop_sequence':
    case 'completed':
    case null:
      return hasCalls ? 'tool-calls' : 'stop'
    case 'max_tokens':
    case 'max_output_tokens':
      return 'length'
    case 'tool_use':
    case 'tool_calls':
      return 'tool-calls'
    case 'refusal':
    case 'content_filter':
      return 'content-filter'
    default:
      return reason
  }
}
