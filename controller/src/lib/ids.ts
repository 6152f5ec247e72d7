import { hash, randomInt, randomUUID } from 'node:crypto'

/** A UUID version 7 (RFC 9562 §5.7): sorts by the time it was made. Made here because Postgres has `uuidv7()` only from 18 on. */
export function uuidv7(nowMs: number = Date.now()): string {
  const time = nowMs.toString(16).padStart(12, '0')
  // The random bits and the variant of a version 4, which node makes in bulk; only the version differs.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export function isUuid(text: string): boolean {
  return UUID.test(text)
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

function randomText(alphabet: string, length: number): string {
  let text = ''
  for (let i = 0; i < length; i++) text += alphabet[randomInt(alphabet.length)]
  return text
}

/** The name of a record: `<prefix>-<6 base32>`, at most 63 characters (a DNS-1123 label). */
export function recordName(prefix: string): string {
  return `${prefix.slice(0, 56).replace(/[^a-z0-9]+$/, '')}-${randomText(BASE32, 6)}`
}

/** A bearer token: `swa_…` for an agent's instance, `swk_…` for an API key, `swj_…` for joining a host, `swh_…` for a
 * joined host, `swl_…` for a link to the page, `swu_…` for a browser that is signed in; 43 base62 characters are 256 bits. */
export function newToken(kind: 'a' | 'h' | 'j' | 'k' | 'l' | 'u'): string {
  return `sw${kind}_${randomText(BASE62, 43)}`
}

/** Ties together what one cause leads to, across logs, events and records. */
export function newCorrelationId(): string {
  return uuidv7()
}

/** A UUID version 8 (RFC 9562 §5.8) that is the same for the same text: the identity of what has no id of its own. */
export function uuidOf(text: string): string {
  const bytes = Buffer.from(hash('sha256', text, 'hex'), 'hex').subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
