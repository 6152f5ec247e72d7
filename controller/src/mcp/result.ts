import { fail } from '../lib/error-catalogue.ts'
import { isObject, type Json, type JsonObject } from '../lib/json.ts'

/** The parts of a tool's answer that are looked at. */
export interface CallResult {
  readonly content?: readonly JsonObject[]
  readonly structuredContent?: Json
  readonly isError?: boolean
}

/**
 * What a step gets of an answer: its structured content; else a text that is a JSON object or list as that; else `{text}`;
 * else, with pictures and resources, `{content}` as it came. SW_TOOL_FAILED for an answer that says it is a failure.
 */
export function outputOf(result: CallResult, tool: string): Json {
  const { content = [], structuredContent } = result
  const texts = content.flatMap((part) => (typeof part['text'] === 'string' ? [part['text']] : []))
  if (result.isError === true)
    throw fail('SW_TOOL_FAILED', `${tool}: ${texts.join('\n').slice(0, 4096) || 'it failed without a word'}`)
  if (structuredContent !== undefined && structuredContent !== null) return structuredContent
  if (texts.length < content.length) return { content: [...content] }
  const text = texts.join('\n')
  try {
    const value = JSON.parse(text) as Json
    if (Array.isArray(value) || isObject(value)) return value
  } catch {
    // Plain words.
  }
  return { text }
}
