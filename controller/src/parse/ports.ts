import type { SpecProblem } from '../kinds/definition.ts'

/** What the v0 reader makes of a flat blueprint document. */
export interface NormalisedDocument {
  /** The document in today's form; null when it is too broken to make one. */
  readonly document: Readonly<Record<string, unknown>> | null
  /** Who it is, when that can be read even though it is broken; in the default namespace. */
  readonly identity: { readonly kind: string; readonly name: string } | null
  /** Pointers of these are already in the file's own form. */
  readonly problems: readonly SpecProblem[]
  /** Where a pointer of the normalised document stands in the file. */
  readonly pointerInFile: (pointer: string) => string
}

/** Reads documents of older forms. */
export interface FormerFormReader {
  recognises(document: Readonly<Record<string, unknown>>): boolean
  normalise(document: Readonly<Record<string, unknown>>): NormalisedDocument
}
