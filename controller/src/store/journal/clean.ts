import type { Json } from '../../lib/json.ts'

/** What Postgres refuses in text and jsonb: U+0000 and surrogates without their other half. */
const REPLACEMENT = '\uFFFD'

/** In the text that JSON.stringify makes both appear as escapes only. May match more (`"\\u0000"`), never less. */
const SUSPECT = /\\u(?:0000|d[89a-f][0-9a-f]{2})/

export function cleanText(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', REPLACEMENT)
}

/** The value with every such character replaced, whether there was one, and its JSON text. Keys are cleaned too. */
export function cleanJson(value: Json): { readonly value: Json; readonly sanitized: boolean; readonly text: string } {
  const text = JSON.stringify(value)
  if (!SUSPECT.test(text)) return { value, sanitized: false, text }
  let sanitized = false
  const clean = (text: string): string => {
    const cleaned = cleanText(text)
    if (cleaned !== text) sanitized = true
    return cleaned
  }
  const walk = (at: Json): Json => {
    if (typeof at === 'string') return clean(at)
    if (Array.isArray(at)) return at.map(walk)
    if (at === null || typeof at !== 'object') return at
    return Object.fromEntries(Object.entries(at).map(([key, member]) => [clean(key), walk(member)]))
  }
  const walked = walk(value)
  return { value: walked, sanitized, text: JSON.stringify(walked) }
}

/** JSON text that jsonb takes. */
export function jsonText(value: Json): string {
  return cleanJson(value).text
}

/** Whether a JSON text may hold what jsonb does not take. */
export function isSuspect(text: string): boolean {
  return SUSPECT.test(text)
}
