/** One line of a log: of a run's, when and by which step it was written. */
export interface LogLine {
  readonly time: string | null
  readonly step: string | null
  readonly text: string
}

const STAMPED = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) (?:([a-z][\w.[\]]*) \| ?)?/

/** What terminals read as colours and cursor moves says nothing here. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is exactly the control characters that are meant
const CONTROLS = /\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u0008\u000b-\u001f\u007f]/g

export function parseLogLine(line: string): LogLine {
  const match = STAMPED.exec(line)
  const text = (match === null ? line : line.slice(match[0].length)).replaceAll(CONTROLS, '')
  return { time: match?.[1] ?? null, step: match?.[2] ?? null, text }
}

/** Whether a line is of a step, or of what is inside of that. */
export function isOfStep(line: LogLine, step: string | null): boolean {
  if (step === null) return true
  return (
    line.step !== null && (line.step === step || line.step.startsWith(`${step}.`) || line.step.startsWith(`${step}[`))
  )
}

/** Lines of a text that comes in pieces: a line is one once its end has come. At most `most` are kept, the last ones. */
export class LogBuffer {
  readonly #most: number
  #rest = ''
  #lines: LogLine[] = []
  #dropped = 0

  constructor(most: number) {
    this.#most = most
  }

  /** How many lines were let go at the beginning. */
  get dropped(): number {
    return this.#dropped
  }

  push(piece: string): void {
    const parts = (this.#rest + piece).split('\n')
    this.#rest = parts.pop() ?? ''
    for (const part of parts) this.#lines.push(parseLogLine(part))
    // A tenth at a time: shifting at every line would cost more than the line.
    if (this.#lines.length > this.#most * 1.1) {
      this.#dropped += this.#lines.length - this.#most
      this.#lines = this.#lines.slice(-this.#most)
    }
  }

  /** All of it, with a last line that has no end. A new list every time. */
  lines(): readonly LogLine[] {
    return this.#rest === '' ? [...this.#lines] : [...this.#lines, parseLogLine(this.#rest)]
  }
}

/** Indexes of the lines that have a text in them, in any case. */
export function findInLog(lines: readonly LogLine[], text: string): readonly number[] {
  if (text === '') return []
  const wanted = text.toLowerCase()
  return lines.flatMap((line, at) =>
    line.text.toLowerCase().includes(wanted) || line.step?.toLowerCase().includes(wanted) === true ? [at] : [],
  )
}
