import type { LanguageModelV4CallOptions } from '@ai-sdk/provider'
import { followAbort } from '../lib/following-abort.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import { answerLimit } from './pricing.ts'
import { type Connection, connect } from './providers/connect.ts'
import { failureOf, ModelFailure } from './providers/failure.ts'
import { toolNames } from './providers/tool-names.ts'
import { wireOptions, wirePrompt } from './providers/wire-prompt.ts'
import type { Answer, Prompt, ToolCallRequest, Usage } from './request.ts'

export interface Ask {
  readonly connection: Omit<Connection, 'names' | 'headers'>
  readonly prompt: Prompt
  readonly timeoutMs: number
  /** The caller does not want it any more. */
  readonly signal: AbortSignal
  readonly onText: (delta: string) => void
  /** Goes with the question as the header `traceparent`: a server that traces goes on with the trace. */
  readonly traceparent?: string
}

export interface Asked extends Answer {
  /** Milliseconds until something of the answer came. */
  readonly firstMs: number
}

/**
 * One question to one model: its answer, streamed as it comes. Throws a ModelFailure; when the caller took it back, the
 * reason of the signal. A stream that ends before the model said it was done is a failure, not an answer.
 */
export async function askModel(ask: Ask): Promise<Asked> {
  const { prompt, connection, signal } = ask
  const { modelSpec } = connection
  const names = toolNames(prompt.tools.map(({ name }) => name))
  const stop = followAbort(signal)
  const late = (): void =>
    stop.abort(new ModelFailure('timeout', `it did not answer within ${ask.timeoutMs} ms`, { begun: true }))
  const timer = setTimeout(late, ask.timeoutMs)
  const startedAt = performance.now()
  const state: State = { text: '', toolCalls: [], firstMs: null, modelAnswered: null }
  const reader: { current: ReadableStreamDefaultReader<StreamPart> | null } = { current: null }
  // Some libraries do not end their stream when they are told to.
  const cut = aborted(stop.signal)
  cut.catch(() => undefined)
  try {
    const headers: Record<string, string> = ask.traceparent === undefined ? {} : { traceparent: ask.traceparent }
    const model = await connect({ ...connection, names, headers })
    const maxTokens = answerLimit(prompt, modelSpec) ?? undefined
    const temperature = prompt.temperature ?? modelSpec?.temperature
    const options: LanguageModelV4CallOptions = {
      prompt: wirePrompt(prompt, names),
      ...wireOptions(prompt, names),
      ...(maxTokens === undefined ? {} : { maxOutputTokens: maxTokens }),
      ...(temperature === undefined ? {} : { temperature }),
      abortSignal: stop.signal,
      headers,
      providerOptions: { openai: { store: false, strictJsonSchema: false } },
    }
    const { stream } = await Promise.race([model.doStream(options), cut])
    reader.current = stream.getReader()
    for (;;) {
      const { done, value } = await Promise.race([reader.current.read(), cut])
      if (done) break
      const finished = take(value, state, names.ours, ask.onText, startedAt)
      if (finished === null) continue
      const firstMs = state.firstMs ?? performance.now() - startedAt
      return { ...finished, text: state.text, toolCalls: state.toolCalls, modelAnswered: state.modelAnswered, firstMs }
    }
    throw new ModelFailure('error', 'the stream ended before the answer did', { begun: true })
  } catch (error) {
    void reader.current?.cancel().catch(() => undefined)
    if (signal.aborted) throw signal.reason
    if (stop.signal.aborted) throw stop.signal.reason
    throw failureOf(error, state.firstMs !== null)
  } finally {
    clearTimeout(timer)
    stop.end()
  }
}

type StreamPart =
  Awaited<ReturnType<Awaited<ReturnType<typeof connect>>['doStream']>>['stream'] extends ReadableStream<infer Part>
    ? Part
    : never

interface State {
  text: string
  toolCalls: ToolCallRequest[]
  firstMs: number | null
  modelAnswered: string | null
}

/** Null = it goes on. */
function take(
  part: StreamPart,
  state: State,
  ours: (sent: string) => string,
  onText: (delta: string) => void,
  startedAt: number,
): Pick<Answer, 'finishReason' | 'usage'> | null {
  const began = (): void => {
    state.firstMs ??= performance.now() - startedAt
  }
  switch (part.type) {
    case 'text-delta':
      began()
      state.text += part.delta
      onText(part.delta)
      return null
    case 'reasoning-delta':
    case 'tool-input-start':
      began()
      return null
    case 'response-metadata':
      state.modelAnswered = part.modelId ?? state.modelAnswered
      return null
    case 'tool-call':
      began()
      state.toolCalls.push({ id: part.toolCallId, tool: ours(part.toolName), input: inputOf(part.input) })
      return null
    case 'error':
      throw failureOf(part.error, state.firstMs !== null)
    case 'finish': {
      const { unified } = part.finishReason
      if (unified === 'error' || unified === 'interrupted')
        throw new ModelFailure('error', `the answer broke off (${part.finishReason.raw ?? unified})`, { begun: true })
      return { finishReason: unified, usage: usageOf(part.usage) }
    }
    default:
      return null
  }
}

/** What a model sends that is no object is kept for the tool to refuse. */
function inputOf(text: string): JsonObject {
  try {
    const value: unknown = text.trim() === '' ? {} : JSON.parse(text)
    return isObject(value) ? (value as JsonObject) : { value: value as JsonObject }
  } catch {
    return { malformed: text }
  }
}

/** Half of it known is not known. */
function usageOf(usage: {
  readonly inputTokens: { readonly total: number | undefined }
  readonly outputTokens: { readonly total: number | undefined }
}): Usage | null {
  const [inputTokens, outputTokens] = [usage.inputTokens.total, usage.outputTokens.total]
  // A library that finds nothing says 0 of both; a prompt is never empty.
  if (!(inputTokens! >= 0) || !(outputTokens! >= 0) || (inputTokens === 0 && outputTokens === 0)) return null
  return { inputTokens: Math.round(inputTokens!), outputTokens: Math.round(outputTokens!) }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
