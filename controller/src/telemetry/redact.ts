/** Field names whose values never reach a log line, wherever they stand. */
const SECRET_FIELD =
  /"([A-Za-z0-9_.-]*(?:password|passwd|secret|api_?key|authorization|cookie|private_?key|access_?token|refresh_?token|token))":"((?:[^"\\]|\\.)*)"/gi
/** Our own tokens (`swa_…`, `swk_…` and their like), wherever they stand in a text. */
const OWN_TOKEN = /\b(sw[ahjklu]_[0-9A-Za-z]{4})[0-9A-Za-z]{4,}/g
const BEARER = /\b(Bearer|Basic) +[A-Za-z0-9+/=._~-]{8,}/gi
/** The password of a connection URL: `postgres://user:password@host`. */
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"]*):[^\s/@"]+@/gi

/**
 * Takes secrets out of one serialized line: members named like a secret, our tokens (their first 8 characters stay, so
 * that two can be told apart), `Authorization` values and passwords inside URLs.
 */
export function redactLine(line: string): string {
  return line
    .replace(SECRET_FIELD, (_match, name: string, value: string) =>
      value.length === 0
        ? `"${name}":""`
        : `"${name}":"${/^sw[ahjklu]_/.test(value) ? value.slice(0, 8) : ''}[redacted]"`,
    )
    .replace(OWN_TOKEN, '$1[redacted]')
    .replace(BEARER, '$1 [redacted]')
    .replace(URL_PASSWORD, '$1:[redacted]@')
}
