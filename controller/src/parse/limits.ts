/** What one source may hold. Everything above becomes an issue, never an exception. */
export interface ParseLimits {
  /** Bytes of one file. */
  readonly maxFileBytes: number
  readonly maxDocumentsPerFile: number
  /** Nesting of maps and lists. */
  readonly maxDepth: number
  readonly maxAliases: number
  /** Values of one document after its aliases are expanded: what a "billion laughs" file breaks. */
  readonly maxValues: number
}

export const DEFAULT_LIMITS: ParseLimits = {
  maxFileBytes: 1024 * 1024,
  maxDocumentsPerFile: 2_000,
  maxDepth: 60,
  maxAliases: 50,
  maxValues: 100_000,
}
