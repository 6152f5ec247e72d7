import { isObject, type Json } from '../lib/json.ts'

/** Text that every store and every reader can hold: no NUL, no lone surrogate; both become U+FFFD. */
export function cleanText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD')
}

/** Every text of a value through `change`, keys included. */
export function mapTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [change(key), mapTexts(member as Json, change)]),
  )
}

const MAX_LINE = 8 * 1024
const MAX_LINES = 10_000

/**
 * Cuts a stream of text into lines for a log: at most 10,000 lines of 8 KiB, the rest is counted and told once at the end.
 */
export class LineLog {
  readonly #write: (line: string) => void
  #open = ''
  #lines = 0
  #dropped = 0

  constructor(write: (line: string) => void) {
    this.#write = write
  }

  push(text: string): void {
    const parts = (this.#open + text).split('\n')
    this.#open = parts.pop()!
    for (const part of parts) this.#line(part)
    if (this.#open.length > MAX_LINE) {
      this.#line(this.#open)
      this.#open = ''
    }
  }

  end(): void {
    if (this.#open !== '') this.#line(this.#open)
    this.#open = ''
    if (this.#dropped > 0) this.#write(`… ${this.#dropped} more lines`)
  }

  #line(line: string): void {
    if (this.#lines >= MAX_LINES) {
      this.#dropped++
      return
    }
    this.#lines++
    const text = line.endsWith('\r') ? line.slice(0, -1) : line
    this.#write(cleanText(text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}…` : text))
  }
}
