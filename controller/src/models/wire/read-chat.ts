import type { JsonObject } from '../../lib/json.ts'
import { Conversation, type ReadQuestion } from './conversation.ts'
import { countOf, objectIn, objectOf, objectsIn, textOf } from './fields.ts'

/** Reads the body of `POST /v1/chat/completions`. */
export function readChat(body: JsonObject): ReadQuestion {
  const conversation = new Conversation()
  for (const { role, content, tool_calls: calls, tool_call_id: id } of objectsIn(body['messages'])) {
    const words = conversation.words(content, ['text', 'refusal'])
    switch (role) {
      case 'system':
      case 'developer':
        conversation.instruct(words)
        break
      case 'assistant':
        conversation.assistant(
          words,
          objectsIn(calls).map((call) => {
            const { name, arguments: input } = objectOf(call['function'])
            return { id: textOf(call['id']), tool: textOf(name), input: objectIn(textOf(input)) }
          }),
        )
        break
      case 'tool':
        conversation.result(textOf(id), words, false)
        break
      default:
        conversation.user(words)
    }
  }
  const format = objectOf(body['response_format'])
  return {
    system: conversation.system,
    messages: conversation.messages,
    tools: objectsIn(body['tools'])
      .map((tool) => objectOf(tool['function']))
      .filter(({ name }) => textOf(name) !== '')
      .map(({ name, description, parameters }) => ({
        name: textOf(name),
        description: textOf(description),
        inputSchema: objectOf(parameters) as JsonObject,
      })),
    outputSchema:
      format['type'] === 'json_schema'
        ? (objectOf(objectOf(format['json_schema'])['schema']) as JsonObject)
        : format['type'] === 'json_object'
          ? { type: 'object' }
          : null,
    maxTokens: countOf(body['max_completion_tokens']) ?? countOf(body['max_tokens']),
    temperature: countOf(body['temperature']),
    untold: conversation.untold,
  }
}
