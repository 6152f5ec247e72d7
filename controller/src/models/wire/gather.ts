import { assertNever } from '../../lib/assert-never.ts'
import { isObject } from '../../lib/json.ts'
import { countOf, objectOf, objectsIn, textOf } from './fields.ts'
import type { Gathered } from './gathered.ts'
import type { WireFormat } from './question.ts'

/** Takes what an event of a streamed answer tells. Never throws: what it does not know says nothing. */
export function takeEvent(format: WireFormat, event: unknown, into: Gathered): void {
  if (!isObject(event)) return
  switch (format) {
    case 'messages':
      takeMessagesEvent(event, into)
      break
    case 'chat':
      takeChat(event, into)
      break
    case 'responses':
      takeResponsesEvent(event, into)
      break
    default:
      assertNever(format)
  }
}

/** Takes an answer that came whole. */
export function takeWhole(format: WireFormat, body: unknown, into: Gathered): void {
  if (!isObject(body)) return
  switch (format) {
    case 'messages':
      for (const [i, block] of objectsIn(body['content']).entries()) takeBlock(block, String(i), into)
      takeMessageHead(body, into)
      into.finishReason = textOf(body['stop_reason'])
      break
    case 'chat':
      takeChat(body, into)
      break
    case 'responses':
      for (const [i, item] of objectsIn(body['output']).entries()) takeItem(item, String(i), into)
      takeResponse(body, into)
      break
    default:
      assertNever(format)
  }
  into.isDone = into.finishReason !== null
}

function takeMessagesEvent(event: Record<string, unknown>, into: Gathered): void {
  const key = String(event['index'])
  switch (event['type']) {
    case 'message_start':
      takeMessageHead(objectOf(event['message']), into)
      return
    case 'content_block_start':
      takeBlock(objectOf(event['content_block']), key, into)
      return
    case 'content_block_delta': {
      const delta = objectOf(event['delta'])
      if (delta['type'] === 'text_delta') into.text += textOf(delta['text'])
      if (delta['type'] === 'input_json_delta') into.call(key, { input: textOf(delta['partial_json']) })
      return
    }
    case 'message_delta':
      takeAnthropicUsage(objectOf(event['usage']), into)
      into.finishReason = textOf(objectOf(event['delta'])['stop_reason']) || into.finishReason
      return
    case 'message_stop':
      into.isDone = true
      return
    case 'error':
      into.problem = problemOf(event['error'])
  }
}

function takeMessageHead(message: Record<string, unknown>, into: Gathered): void {
  into.modelAnswered = textOf(message['model']) || null
  takeAnthropicUsage(objectOf(message['usage']), into)
}

/** What was read from a cache, or written to it, is not in `input_tokens`. */
function takeAnthropicUsage(usage: Record<string, unknown>, into: Gathered): void {
  const read = [usage['input_tokens'], usage['cache_creation_input_tokens'], usage['cache_read_input_tokens']]
  const input = read.map(countOf)
  if (input[0] != null) into.inputTokens = input.reduce<number>((sum, count) => sum + (count ?? 0), 0)
  into.outputTokens = countOf(usage['output_tokens']) ?? into.outputTokens
}

function takeBlock(block: Record<string, unknown>, key: string, into: Gathered): void {
  if (block['type'] === 'text') into.text += textOf(block['text'])
  if (block['type'] !== 'tool_use') return
  const input = objectOf(block['input'])
  const whole = Object.keys(input).length === 0 ? {} : { input: JSON.stringify(input) }
  into.call(key, { id: textOf(block['id']), tool: textOf(block['name']), ...whole })
}

/** A chunk, or the whole of it: they differ in one word. */
function takeChat(event: Record<string, unknown>, into: Gathered): void {
  if (event['error'] !== undefined && event['error'] !== null) into.problem = problemOf(event['error'])
  into.modelAnswered ??= textOf(event['model']) || null
  const usage = objectOf(event['usage'])
  into.inputTokens = countOf(usage['prompt_tokens']) ?? into.inputTokens
  into.outputTokens = countOf(usage['completion_tokens']) ?? into.outputTokens
  const [choice] = objectsIn(event['choices'])
  if (choice === undefined) return
  const said = objectOf(choice['delta'] ?? choice['message'])
  into.text += textOf(said['content'])
  for (const [i, call] of objectsIn(said['tool_calls']).entries()) {
    const { name, arguments: input } = objectOf(call['function'])
    into.call(String(call['index'] ?? i), { id: textOf(call['id']), tool: textOf(name), input: textOf(input) })
  }
  const reason = textOf(choice['finish_reason'])
  if (reason === '') return
  into.finishReason = reason
  into.isDone = true
}

function takeResponsesEvent(event: Record<string, unknown>, into: Gathered): void {
  switch (event['type']) {
    case 'response.created':
      into.modelAnswered = textOf(objectOf(event['response'])['model']) || null
      return
    case 'response.output_item.done':
      takeItem(objectOf(event['item']), String(event['output_index']), into)
      return
    case 'response.completed':
    case 'response.incomplete':
      takeResponse(objectOf(event['response']), into)
      into.isDone = true
      return
    case 'response.failed':
      into.problem = problemOf(objectOf(event['response'])['error'])
      return
    case 'error':
      into.problem = problemOf(event['error'] ?? event)
  }
}

function takeItem(item: Record<string, unknown>, key: string, into: Gathered): void {
  if (item['type'] === 'message') for (const part of objectsIn(item['content'])) into.text += textOf(part['text'])
  if (item['type'] !== 'function_call' && item['type'] !== 'custom_tool_call') return
  const input =
    item['type'] === 'function_call' ? textOf(item['arguments']) : JSON.stringify({ input: textOf(item['input']) })
  into.call(key, { id: textOf(item['call_id']), tool: textOf(item['name']), input })
}

function takeResponse(response: Record<string, unknown>, into: Gathered): void {
  into.modelAnswered = textOf(response['model']) || into.modelAnswered
  const usage = objectOf(response['usage'])
  into.inputTokens = countOf(usage['input_tokens'])
  into.outputTokens = countOf(usage['output_tokens'])
  into.finishReason = textOf(objectOf(response['incomplete_details'])['reason']) || textOf(response['status']) || null
}

function problemOf(error: unknown): string {
  if (typeof error === 'string') return error
  const { message, type, code } = objectOf(error)
  return textOf(message) || textOf(type) || textOf(code) || 'it failed and did not say why'
}
