import type { JsonObject } from '../../lib/json.ts'
import { Conversation, type ReadQuestion } from './conversation.ts'
import { countOf, objectIn, objectOf, objectsIn, textOf } from './fields.ts'

const WORDS = ['input_text', 'output_text', 'text', 'refusal']

/** Reads the body of `POST /v1/responses`. What a former response said has to be in it: none is kept here. */
export function readResponses(body: JsonObject): ReadQuestion {
  const conversation = new Conversation()
  conversation.instruct(textOf(body['instructions']))
  if (typeof body['previous_response_id'] === 'string') conversation.cannotTell('previous_response_id')
  const { input } = body
  if (typeof input === 'string') conversation.user(input)
  else for (const item of objectsIn(input)) readItem(conversation, item)
  const format = objectOf(objectOf(body['text'])['format'])
  return {
    system: conversation.system,
    messages: conversation.messages,
    tools: objectsIn(body['tools'])
      .filter(({ type }) => type === 'function')
      .map(({ name, description, parameters }) => ({
        name: textOf(name),
        description: textOf(description),
        inputSchema: objectOf(parameters) as JsonObject,
      })),
    outputSchema: format['type'] === 'json_schema' ? (objectOf(format['schema']) as JsonObject) : null,
    maxTokens: countOf(body['max_output_tokens']),
    temperature: countOf(body['temperature']),
    untold: conversation.untold,
  }
}

function readItem(conversation: Conversation, item: Record<string, unknown>): void {
  const type = textOf(item['type']) || 'message'
  switch (type) {
    case 'message': {
      const words = conversation.words(item['content'], WORDS)
      const { role } = item
      if (role === 'system' || role === 'developer') conversation.instruct(words)
      else if (role === 'assistant') conversation.assistant(words, [])
      else conversation.user(words)
      break
    }
    case 'function_call':
      conversation.assistant('', [
        { id: textOf(item['call_id']), tool: textOf(item['name']), input: objectIn(textOf(item['arguments'])) },
      ])
      break
    case 'function_call_output':
      conversation.result(textOf(item['call_id']), conversation.words(item['output'], WORDS), false)
      break
    case 'reasoning':
      break
    default:
      conversation.cannotTell(type)
  }
}
