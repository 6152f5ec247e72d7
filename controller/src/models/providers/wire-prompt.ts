import type {
  LanguageModelV4CallOptions,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultOutput,
} from '@ai-sdk/provider'
import type { Json } from '../../lib/json.ts'
import type { Message, Prompt } from '../request.ts'
import type { ToolNames } from './tool-names.ts'

/** A prompt as the libraries of the providers take it. */
export function wirePrompt(prompt: Pick<Prompt, 'system' | 'messages'>, names: ToolNames): LanguageModelV4Prompt {
  const system: LanguageModelV4Message[] = prompt.system === null ? [] : [{ role: 'system', content: prompt.system }]
  return [...system, ...prompt.messages.map((message) => wireMessage(message, names))]
}

function wireMessage(message: Message, names: ToolNames): LanguageModelV4Message {
  switch (message.role) {
    case 'user':
      return { role: 'user', content: [{ type: 'text', text: message.text }] }
    case 'assistant':
      return {
        role: 'assistant',
        content: [
          ...(message.text === '' ? [] : [{ type: 'text' as const, text: message.text }]),
          ...message.toolCalls.map(({ id, tool, input }) => ({
            type: 'tool-call' as const,
            toolCallId: id,
            toolName: names.sent(tool),
            input,
          })),
        ],
      }
    case 'tool':
      return {
        role: 'tool',
        content: message.results.map(({ id, tool, output, isError }) => ({
          type: 'tool-result' as const,
          toolCallId: id,
          toolName: names.sent(tool),
          output: resultOf(output, isError),
        })),
      }
  }
}

/** Text stays text: as JSON it would come in quotes. */
function resultOf(output: Json, isError: boolean): LanguageModelV4ToolResultOutput {
  if (typeof output === 'string') return { type: isError ? 'error-text' : 'text', value: output }
  return { type: isError ? 'error-json' : 'json', value: output }
}

/** The tools, none of which the library calls by itself, and the form of the answer. */
export function wireOptions(
  prompt: Pick<Prompt, 'tools' | 'outputSchema'>,
  names: ToolNames,
): Pick<LanguageModelV4CallOptions, 'tools' | 'toolChoice' | 'responseFormat'> {
  const { tools, outputSchema } = prompt
  return {
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(({ name, description, inputSchema }) => ({
            type: 'function' as const,
            name: names.sent(name),
            description,
            inputSchema: { type: 'object' as const, ...inputSchema },
          })),
          toolChoice: { type: 'auto' as const },
        }),
    ...(outputSchema === null
      ? {}
      : { responseFormat: { type: 'json' as const, schema: outputSchema, name: 'answer' } }),
  } as Pick<LanguageModelV4CallOptions, 'tools' | 'toolChoice' | 'responseFormat'>
}
