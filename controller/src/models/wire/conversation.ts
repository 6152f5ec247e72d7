import type { Json } from '../../lib/json.ts'
import type { Message, Prompt, ToolCallRequest, ToolCallResult } from '../request.ts'
import { objectsIn, textOf } from './fields.ts'

/** A question of one of the formats as every provider can be asked it. */
export interface ReadQuestion extends Prompt {
  /** Parts that have no words in other formats: pictures, tools with a grammar of their own. */
  readonly untold: readonly string[]
}

/** Puts a conversation together from parts that come one by one: what one side says in a row is one message. */
export class Conversation {
  readonly #messages: Message[] = []
  readonly #system: string[] = []
  readonly #tools = new Map<string, string>()
  readonly #untold = new Set<string>()

  get messages(): readonly Message[] {
    return this.#messages
  }

  get system(): string | null {
    return this.#system.length === 0 ? null : this.#system.join('\n\n')
  }

  get untold(): readonly string[] {
    return [...this.#untold]
  }

  instruct(text: string): void {
    if (text !== '') this.#system.push(text)
  }

  user(text: string): void {
    if (text !== '') this.#messages.push({ role: 'user', text })
  }

  assistant(text: string, toolCalls: readonly ToolCallRequest[]): void {
    if (text === '' && toolCalls.length === 0) return
    for (const { id, tool } of toolCalls) this.#tools.set(id, tool)
    const last = this.#messages.at(-1)
    if (last?.role !== 'assistant') this.#messages.push({ role: 'assistant', text, toolCalls })
    else
      this.#messages[this.#messages.length - 1] = {
        role: 'assistant',
        text: [last.text, text].filter((part) => part !== '').join('\n'),
        toolCalls: [...last.toolCalls, ...toolCalls],
      }
  }

  result(id: string, output: Json, isError: boolean): void {
    const result: ToolCallResult = { id, tool: this.#tools.get(id) ?? 'tool', output, isError }
    const last = this.#messages.at(-1)
    if (last?.role !== 'tool') this.#messages.push({ role: 'tool', results: [result] })
    else this.#messages[this.#messages.length - 1] = { role: 'tool', results: [...last.results, result] }
  }

  /** Something of the question that other formats have no words for. */
  cannotTell(what: string): void {
    this.#untold.add(what)
  }

  /** The words of a content: a string, or parts of these types. Any other part cannot be told. */
  words(content: unknown, types: readonly string[]): string {
    if (typeof content === 'string') return content
    const words: string[] = []
    for (const part of objectsIn(content)) {
      if (types.includes(textOf(part['type']))) words.push(textOf(part['text']) || textOf(part['refusal']))
      else this.cannotTell(textOf(part['type']) || 'a part without a type')
    }
    return words.join('\n')
  }
}
