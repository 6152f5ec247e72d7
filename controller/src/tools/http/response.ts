import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'

/** The body of a response, at most `maxBytes` after decompression. Throws SW_OUTPUT_TOO_LARGE. */
export async function readBody(response: Response, url: string, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    // Leaving the loop cancels the stream.
    if (size > maxBytes) {
      throw fail('SW_OUTPUT_TOO_LARGE', `the response of ${url} is larger than ${maxBytes} bytes`, {
        remedy: 'raise maxBytes (at most 786432), or ask for less',
      })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function asText(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

/** What the step gets: bodies that are not UTF-8 come as base64 with `encoding: base64`; `json` is there when the body says it is JSON. */
export function responseOutput(response: Response, bytes: Buffer): JsonObject {
  const output: JsonObject = { status: response.status, headers: Object.fromEntries(response.headers), body: '' }
  const text = asText(bytes)
  if (text === null) return { ...output, body: bytes.toString('base64'), encoding: 'base64' }
  const isJson = /[/+]json\b/i.test(response.headers.get('content-type') ?? '')
  if (!isJson) return { ...output, body: text }
  try {
    return { ...output, body: text, json: JSON.parse(text) as Json }
  } catch {
    // It only claims to be JSON: the text is all there is.
    return { ...output, body: text }
  }
}
