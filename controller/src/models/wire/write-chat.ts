import type { JsonObject } from '../../lib/json.ts'
import type { Answer } from '../request.ts'
import type { Said, WireSpeaker } from './wire-speaker.ts'

const REASONS: Readonly<Record<string, string>> = {
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
}

/** Answers of `POST /v1/chat/completions`. */
export function chatSpeaker({ id, model, at }: Said): WireSpeaker {
  const about = { id: `chatcmpl-${id}`, created: at, model }
  const chunk = (choices: JsonObject[], more: JsonObject = {}): string =>
    `data: ${JSON.stringify({ ...about, object: 'chat.completion.chunk', choices, ...more })}\n\n`
  const said = (delta: JsonObject, reason: string | null = null): string =>
    chunk([{ index: 0, delta, finish_reason: reason }])
  return {
    head: () => said({ role: 'assistant', content: '' }),
    text: (delta) => said({ content: delta }),
    end(answer) {
      const calls = callsOf(answer).map((call, index) => said({ tool_calls: [{ index, ...call }] }))
      const reason = REASONS[answer.finishReason] ?? 'stop'
      return [...calls, said({}, reason), chunk([], { usage: usageOf(answer) }), 'data: [DONE]\n\n'].join('')
    },
    whole: (answer) => ({
      ...about,
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          finish_reason: REASONS[answer.finishReason] ?? 'stop',
          logprobs: null,
          message: {
            role: 'assistant',
            content: answer.text === '' ? null : answer.text,
            refusal: null,
            ...(answer.toolCalls.length === 0 ? {} : { tool_calls: callsOf(answer) }),
          },
        },
      ],
      usage: usageOf(answer),
    }),
  }
}

const callsOf = ({ toolCalls }: Answer): JsonObject[] =>
  toolCalls.map(({ id, tool, input }) => ({
    id,
    type: 'function',
    function: { name: tool, arguments: JSON.stringify(input) },
  }))

function usageOf({ usage }: Answer): JsonObject {
  const [prompt, completion] = [usage?.inputTokens ?? 0, usage?.outputTokens ?? 0]
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
}
