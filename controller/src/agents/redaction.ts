import type { Json } from '../lib/json.ts'

export const REDACTED = '[redacted]'

/** Shorter values appear by chance; taking them out would spoil the text and protect nothing. */
const SHORTEST = 6
/** Tokens of this system; the first 8 characters stay, so that two can be told apart. */
const OWN_TOKEN = /\b(sw[ak]_[0-9A-Za-z]{4})[0-9A-Za-z]{16,}/g

export type Redact = (text: string) => string

/** Takes secrets out of a text, as they are and line by line, and our own tokens in any case. */
export function redactor(secrets: readonly string[]): Redact {
  const values = new Set<string>()
  for (const secret of secrets) {
    for (const value of [secret, secret.trim(), ...secret.split('\n').map((line) => line.trim())]) {
      if (value.length >= SHORTEST) values.add(value)
    }
  }
  // The longest first: a secret may be a part of another.
  const ordered = [...values].sort((a, b) => b.length - a.length)
  return (text) => {
    let redacted = text
    for (const value of ordered) redacted = redacted.replaceAll(value, REDACTED)
    return redacted.replace(OWN_TOKEN, `$1${REDACTED}`)
  }
}

/** The same for every text in a value, keys included. */
export function redactJson(value: Json, redact: Redact): Json {
  if (typeof value === 'string') return redact(value)
  if (Array.isArray(value)) return value.map((item) => redactJson(item, redact))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [redact(key), redactJson(member, redact)]))
}
