/** The part of a structured logger a source needs: a constant message plus fields (pino's own order of arguments). */
export interface SourceLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
}

export const silentLog: SourceLog = { info: () => {}, warn: () => {} }
