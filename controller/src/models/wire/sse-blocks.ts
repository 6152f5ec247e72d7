/** Cuts a stream of server-sent events into its events, whatever the chunks it comes in. */
export class SseBlocks {
  #rest = ''

  /** Whole events, each with the empty line that ends it. */
  take(chunk: string): string[] {
    this.#rest += chunk
    const blocks: string[] = []
    for (;;) {
      const end = /\r?\n\r?\n/.exec(this.#rest)
      if (end === null) return blocks
      const at = end.index + end[0].length
      blocks.push(this.#rest.slice(0, at))
      this.#rest = this.#rest.slice(at)
    }
  }

  /** What came after the last whole event. */
  get rest(): string {
    return this.#rest
  }
}

/** The JSON of an event's data; undefined = it has none. */
export function dataOf(block: string): unknown {
  const data = block
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5).trimStart())
    .join('\n')
  try {
    return JSON.parse(data)
  } catch {
    // `[DONE]`, and comments.
    return undefined
  }
}
