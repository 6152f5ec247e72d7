import type { Terminal } from '../terminal.ts'
import { terminalText } from './inline-text.ts'

/** A line of a log. Those of a run tell when, and which step wrote it. */
export interface LogLine {
  readonly time?: string
  readonly step?: string
  readonly line: string
}

/** `2026-11-21T11:00:00.000Z run_fix | would run: …`; anything else is a line without time and step. */
const OF_RUN = /^(?<time>\d{4}-\d\d-\d\dT[\d:.]+Z) (?<step>[a-z][\w.[\]]*) \| (?<line>.*)$/s

export function readLogLine(text: string): LogLine {
  const { time, step, line } = OF_RUN.exec(text)?.groups ?? {}
  return time === undefined || step === undefined ? { line: text } : { time, step, line: line ?? '' }
}

/** Whether a step wrote it, or one inside of it. */
export function isOf({ step }: LogLine, wanted: string): boolean {
  if (step === undefined) return true
  return step === wanted || step.startsWith(`${wanted}.`) || step.startsWith(`${wanted}[`)
}

/** A file gets the bytes as they are; on a terminal they cannot move the cursor, and the time of day is enough. */
export function renderLogLine({ time, step, line }: LogLine, bytes: string, { columns, colors }: Terminal): string {
  if (columns === null) return bytes
  if (time === undefined || step === undefined) return terminalText(line)
  return `${colors.dim(time.slice(11, 23))} ${colors.cyan(step)} ${colors.dim('|')} ${terminalText(line)}`
}
