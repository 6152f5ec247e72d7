import type { JsonObject } from '../../lib/json.ts'
import type { ToolCallRequest, Usage } from '../request.ts'
import { objectIn } from './fields.ts'

/** What is learned of an answer while it passes. */
export class Gathered {
  text = ''
  modelAnswered: string | null = null
  finishReason: string | null = null
  inputTokens: number | null = null
  outputTokens: number | null = null
  /** The provider said that the answer is whole. */
  isDone = false
  /** What the provider said went wrong in the middle of it. */
  problem: string | null = null
  readonly #calls = new Map<string, { id: string; tool: string; input: string }>()

  /** A call of a tool, or more of the one with this key. */
  call(key: string, more: { readonly id?: string; readonly tool?: string; readonly input?: string }): void {
    const call = this.#calls.get(key) ?? { id: '', tool: '', input: '' }
    call.id ||= more.id ?? ''
    call.tool ||= more.tool ?? ''
    call.input += more.input ?? ''
    this.#calls.set(key, call)
  }

  get toolCalls(): ToolCallRequest[] {
    return [...this.#calls.values()].map(({ id, tool, input }) => ({ id, tool, input: objectIn(input) as JsonObject }))
  }

  /** Half of it known is not known. */
  get usage(): Usage | null {
    const { inputTokens, outputTokens } = this
    return inputTokens === null || outputTokens === null ? null : { inputTokens, outputTokens }
  }
}
