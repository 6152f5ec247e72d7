import type { JsonObject } from '../../lib/json.ts'
import type { Answer } from '../request.ts'
import type { Said, WireSpeaker } from './wire-speaker.ts'

/** Answers of `POST /v1/responses`. */
export function responsesSpeaker({ id, model, at }: Said): WireSpeaker {
  const [responseId, messageId] = [`resp_${id}`, `msg_${id}`]
  let number = 0
  let hasText = false
  const event = (type: string, data: JsonObject): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: number++, ...data })}\n\n`
  const response = (status: string, output: JsonObject[], answer: Answer | null): JsonObject => ({
    ...{ id: responseId, object: 'response', created_at: at, model, status, output, error: null },
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    ...{ instructions: null, metadata: {}, parallel_tool_calls: true, tool_choice: 'auto', tools: [] },
    usage: answer === null ? null : usageOf(answer),
  })
  const part = (text: string): JsonObject => ({ type: 'output_text', text, annotations: [] })
  const messageOf = (text: string): JsonObject => ({
    ...{ id: messageId, type: 'message', role: 'assistant', status: 'completed' },
    content: [part(text)],
  })
  const callOf = ({ id: call, tool, input }: Answer['toolCalls'][number], index: number): JsonObject => ({
    ...{ id: `fc_${id}_${index}`, type: 'function_call', call_id: call, name: tool },
    ...{ arguments: JSON.stringify(input), status: 'completed' },
  })
  const outputOf = (answer: Answer): JsonObject[] => [
    ...(answer.text === '' ? [] : [messageOf(answer.text)]),
    ...answer.toolCalls.map(callOf),
  ]
  const statusOf = ({ finishReason }: Answer): string => (finishReason === 'length' ? 'incomplete' : 'completed')
  return {
    head: () =>
      event('response.created', { response: response('in_progress', [], null) }) +
      event('response.in_progress', { response: response('in_progress', [], null) }),
    text(delta) {
      const at = { item_id: messageId, output_index: 0, content_index: 0 }
      const item = { ...messageOf(''), status: 'in_progress', content: [] }
      const start = hasText
        ? ''
        : event('response.output_item.added', { output_index: 0, item }) +
          event('response.content_part.added', { ...at, part: part('') })
      hasText = true
      return start + event('response.output_text.delta', { ...at, delta, logprobs: [] })
    },
    end(answer) {
      const events: string[] = []
      for (const [index, item] of outputOf(answer).entries()) {
        const at = { item_id: item['id']!, output_index: index }
        if (item['type'] === 'message') {
          const { text } = answer
          events.push(
            event('response.output_text.done', { ...at, content_index: 0, text, logprobs: [] }),
            event('response.content_part.done', { ...at, content_index: 0, part: part(text) }),
          )
        } else {
          const pending = { ...item, arguments: '', status: 'in_progress' }
          const input = item['arguments']!
          events.push(
            event('response.output_item.added', { output_index: index, item: pending }),
            event('response.function_call_arguments.delta', { ...at, delta: input }),
            event('response.function_call_arguments.done', { ...at, arguments: input, name: item['name']! }),
          )
        }
        events.push(event('response.output_item.done', { output_index: index, item }))
      }
      const status = statusOf(answer)
      return [...events, event(`response.${status}`, { response: response(status, outputOf(answer), answer) })].join('')
    },
    whole: (answer) => response(statusOf(answer), outputOf(answer), answer),
  }
}

function usageOf({ usage }: Answer): JsonObject {
  const [input, output] = [usage?.inputTokens ?? 0, usage?.outputTokens ?? 0]
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + output,
  }
}
