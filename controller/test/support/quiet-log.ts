import type { Log } from '../../src/store/ports.ts'

/** Says nothing. */
export const quietLog: Log = { info: () => {}, warn: () => {}, error: () => {} }

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly fields: object
  readonly message: string
}

/** Keeps what is said, for tests that look at it. */
export function recordingLog(): { readonly log: Log; readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const at = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields, message })
  }
  return { log: { info: at('info'), warn: at('warn'), error: at('error') }, lines }
}
