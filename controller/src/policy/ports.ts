import type { PolicyVersion } from './evaluate/compile.ts'

/** The policies that were accepted last. */
export interface PolicySource {
  /** Moves whenever what {@link active} answers may have changed. */
  version(): number
  /** Those in force, in the order of their names: not deleted, not suspended. */
  active(): readonly PolicyVersion[]
}

export interface PolicyLog {
  error(fields: object, message: string): void
}
