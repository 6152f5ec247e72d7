/** Text that comes in pieces, told line by line; a line that gets very long is told in parts. */
export class LogLines {
  readonly #tell: (line: string) => void
  #rest = ''

  constructor(tell: (line: string) => void) {
    this.#tell = tell
  }

  add(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()!
    for (const line of lines) this.#tell(line)
    if (this.#rest.length > LONGEST) this.end()
  }

  /** What has no end of line yet is told as it is. */
  end(): void {
    if (this.#rest !== '') this.#tell(this.#rest)
    this.#rest = ''
  }
}

const LONGEST = 2_000
