import type { JsonObject } from '../../lib/json.ts'
import type { Answer } from '../request.ts'
import type { Said, WireSpeaker } from './wire-speaker.ts'

const REASONS: Readonly<Record<string, string>> = {
  length: 'max_tokens',
  'tool-calls': 'tool_use',
  'content-filter': 'refusal',
}

/** Answers of `POST /v1/messages`. */
export function messagesSpeaker({ id, model }: Said): WireSpeaker {
  let open = false
  let index = 0
  const event = (type: string, data: JsonObject): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
  const message = (content: JsonObject[], reason: string | null, answer: Answer | null): JsonObject => ({
    ...{ id: `msg_${id}`, type: 'message', role: 'assistant', model, content },
    ...{ stop_reason: reason, stop_sequence: null, usage: usageOf(answer) },
  })
  const close = (): string => {
    if (!open) return ''
    open = false
    return event('content_block_stop', { index: index++ })
  }
  return {
    head: () => event('message_start', { message: message([], null, null) }),
    text(delta) {
      const start = open ? '' : event('content_block_start', { index, content_block: { type: 'text', text: '' } })
      open = true
      return start + event('content_block_delta', { index, delta: { type: 'text_delta', text: delta } })
    },
    end(answer) {
      const parts = [close()]
      for (const { id: call, tool, input } of answer.toolCalls) {
        parts.push(
          event('content_block_start', { index, content_block: { type: 'tool_use', id: call, name: tool, input: {} } }),
          event('content_block_delta', {
            index,
            delta: { type: 'input_json_delta', partial_json: JSON.stringify(input) },
          }),
          event('content_block_stop', { index: index++ }),
        )
      }
      const delta = { stop_reason: REASONS[answer.finishReason] ?? 'end_turn', stop_sequence: null }
      return [...parts, event('message_delta', { delta, usage: usageOf(answer) }), event('message_stop', {})].join('')
    },
    whole: (answer) =>
      message(
        [
          ...(answer.text === '' ? [] : [{ type: 'text', text: answer.text }]),
          ...answer.toolCalls.map(({ id: call, tool, input }) => ({ type: 'tool_use', id: call, name: tool, input })),
        ],
        REASONS[answer.finishReason] ?? 'end_turn',
        answer,
      ),
  }
}

const usageOf = (answer: Answer | null): JsonObject => ({
  input_tokens: answer?.usage?.inputTokens ?? 0,
  output_tokens: answer?.usage?.outputTokens ?? 0,
})
