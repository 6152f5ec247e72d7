import type { JsonObject } from '../../lib/json.ts'
import { Conversation, type ReadQuestion } from './conversation.ts'
import { countOf, objectOf, objectsIn, textOf } from './fields.ts'

/** Reads the body of `POST /v1/messages`. Thoughts of a model are its own: others are not told of them. */
export function readMessages(body: JsonObject): ReadQuestion {
  const conversation = new Conversation()
  conversation.instruct(conversation.words(body['system'], ['text']))
  for (const message of objectsIn(body['messages'])) {
    const { role, content } = message
    if (role === 'system') conversation.instruct(conversation.words(content, ['text']))
    else if (role === 'assistant') readAssistant(conversation, content)
    else readUser(conversation, content)
  }
  const format = objectOf(objectOf(body['output_config'])['format'])
  return {
    system: conversation.system,
    messages: conversation.messages,
    tools: objectsIn(body['tools'])
      .filter((tool) => typeof tool['input_schema'] === 'object')
      .map((tool) => ({
        name: textOf(tool['name']),
        description: textOf(tool['description']),
        inputSchema: tool['input_schema'] as JsonObject,
      })),
    outputSchema: format['type'] === 'json_schema' ? (objectOf(format['schema']) as JsonObject) : null,
    maxTokens: countOf(body['max_tokens']),
    temperature: countOf(body['temperature']),
    untold: conversation.untold,
  }
}

function readUser(conversation: Conversation, content: unknown): void {
  if (typeof content === 'string') {
    conversation.user(content)
    return
  }
  const words: string[] = []
  for (const block of objectsIn(content)) {
    switch (block['type']) {
      case 'text':
        words.push(textOf(block['text']))
        break
      case 'tool_result': {
        const said = conversation.words(block['content'], ['text', 'tool_reference'])
        conversation.result(textOf(block['tool_use_id']), said, block['is_error'] === true)
        break
      }
      default:
        conversation.cannotTell(textOf(block['type']) || 'a block without a type')
    }
  }
  conversation.user(words.join('\n'))
}

const THOUGHTS = ['thinking', 'redacted_thinking']

function readAssistant(conversation: Conversation, content: unknown): void {
  if (typeof content === 'string') {
    conversation.assistant(content, [])
    return
  }
  for (const block of objectsIn(content)) {
    const type = textOf(block['type'])
    if (type === 'text') conversation.assistant(textOf(block['text']), [])
    else if (type === 'tool_use')
      conversation.assistant('', [
        { id: textOf(block['id']), tool: textOf(block['name']), input: objectOf(block['input']) as JsonObject },
      ])
    else if (!THOUGHTS.includes(type)) conversation.cannotTell(type)
  }
}
