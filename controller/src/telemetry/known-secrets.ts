import type { Json } from '../lib/json.ts'

export const REDACTED = '[redacted]'

/** Shorter values appear by chance; taking them out would spoil texts and protect nothing. */
const SHORTEST = 6
/** Secrets of a process; beyond it the oldest is forgotten. */
const MOST = 5_000

/** The forms in which a secret turns up: as it is, without white space around it, line by line, and encoded. */
export function formsOf(secret: string): string[] {
  const forms = new Set<string>()
  const add = (form: string): void => {
    if (form.length >= SHORTEST) forms.add(form)
  }
  for (const value of [secret, secret.trim(), ...secret.split('\n').map((line) => line.trim())]) {
    if (value.length < SHORTEST) continue
    add(value)
    add(JSON.stringify(value).slice(1, -1))
    add(encodeURIComponent(value))
    add(Buffer.from(value, 'utf8').toString('base64').replace(/=+$/, ''))
    add(Buffer.from(value, 'utf8').toString('base64url'))
    // As its bytes: how a stream of bytes is looked through.
    add(Buffer.from(value, 'utf8').toString('latin1'))
  }
  return [...forms]
}

/**
 * The secrets this process has looked up, for taking them out of everything it writes. Values stay in memory for this
 * alone. One pattern for all of them: a text is gone through once, whatever their number; nothing happens until there is one.
 */
export class KnownSecrets {
  /** Secret → its forms, the one learnt last at the end. */
  readonly #secrets = new Map<string, readonly string[]>()
  #pattern: RegExp | null = null

  learn(secret: string): void {
    if (this.#secrets.has(secret)) return
    const forms = formsOf(secret)
    if (forms.length === 0) return
    this.#secrets.set(secret, forms)
    if (this.#secrets.size > MOST) this.#secrets.delete(this.#secrets.keys().next().value!)
    // The longest first: a secret may be a part of another.
    const all = [...this.#secrets.values()].flat().sort((a, b) => b.length - a.length)
    this.#pattern = new RegExp(all.map((form) => form.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')).join('|'), 'g')
  }

  get isEmpty(): boolean {
    return this.#pattern === null
  }

  /** Bytes of the longest form; 0 without any. */
  get longest(): number {
    let longest = 0
    for (const forms of this.#secrets.values())
      for (const form of forms) longest = Math.max(longest, Buffer.byteLength(form))
    return longest
  }

  /** Where the secrets of a text stand, as `[from, to)`. */
  placesIn(text: string): (readonly [number, number])[] {
    if (this.#pattern === null) return []
    return [...text.matchAll(this.#pattern)].map((match) => [match.index, match.index + match[0].length] as const)
  }

  readonly redact = (text: string): string => (this.#pattern === null ? text : text.replace(this.#pattern, REDACTED))

  /** The same value when nothing is to be taken out of it. */
  redactJson<T extends Json>(value: T): T {
    if (this.#pattern === null) return value
    const text = JSON.stringify(value)
    if (text === undefined || this.redact(text) === text) return value
    return redactTexts(value, this.redact) as T
  }
}

/** Every text in a value, keys included. */
export function redactTexts(value: Json, redact: (text: string) => string): Json {
  if (typeof value === 'string') return redact(value)
  if (Array.isArray(value)) return value.map((item) => redactTexts(item, redact))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [redact(key), redactTexts(member, redact)]))
}

/**
 * A stream of bytes without the secrets, also where one is cut in two by the pieces it comes in. A stream that holds none comes
 * out byte for byte.
 */
export async function* redactedBytes(
  content: AsyncIterable<Uint8Array>,
  known: KnownSecrets,
): AsyncIterable<Uint8Array> {
  let rest = ''
  for await (const chunk of content) {
    if (known.isEmpty && rest === '') {
      yield chunk
      continue
    }
    // One character a byte.
    const text = rest + Buffer.from(chunk).toString('latin1')
    // What begins before this place is all there, whichever form it is.
    const decided = Math.max(0, text.length - known.longest + 1)
    const { clean, upTo } = without(text, known, decided)
    if (clean !== '') yield Buffer.from(clean, 'latin1')
    rest = text.slice(upTo)
  }
  if (rest !== '') yield Buffer.from(without(rest, known, rest.length).clean, 'latin1')
}

/** The beginning of a text without the secrets that begin before `decided`, and where it ends in the text. */
function without(
  text: string,
  known: KnownSecrets,
  decided: number,
): { readonly clean: string; readonly upTo: number } {
  let clean = ''
  let at = 0
  for (const [from, to] of known.placesIn(text)) {
    if (from >= decided) break
    clean += text.slice(at, from) + REDACTED
    at = to
  }
  const upTo = Math.max(at, decided)
  return { clean: clean + text.slice(at, upTo), upTo }
}
