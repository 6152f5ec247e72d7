import { formsOf, REDACTED, redactTexts } from '../telemetry/known-secrets.ts'

export { REDACTED }

/** Tokens of this system; the first 8 characters stay, so that two can be told apart. */
const OWN_TOKEN = /\b(sw[ak]_[0-9A-Za-z]{4})[0-9A-Za-z]{16,}/g

export type Redact = (text: string) => string

/** Takes secrets out of a text, as they are, line by line and encoded, and our own tokens in any case. */
export function redactor(secrets: readonly string[]): Redact {
  // The longest first: a secret may be a part of another.
  const ordered = [...new Set(secrets.flatMap(formsOf))].sort((a, b) => b.length - a.length)
  return (text) => {
    let redacted = text
    for (const value of ordered) redacted = redacted.replaceAll(value, REDACTED)
    return redacted.replace(OWN_TOKEN, `$1${REDACTED}`)
  }
}

/** The same for every text in a value, keys included. */
export const redactJson = redactTexts
