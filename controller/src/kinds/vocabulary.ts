import type { TSchema } from 'typebox'

/**
 * Rules that JSON Schema has no word for, written into the schemas as extra keywords. Each has one meaning in four places:
 * the validator (schema-compiler.ts) enforces it, the CRD turns it into CEL or drops it, the editor schema turns it into
 * if/then, the reference page prints it.
 */
export const KEYWORDS = {
  /** {@link Variants}: which fields an object takes depends on one of them. */
  variants: 'x-stateward-variants',
  /** Names of fields of which exactly one has to be there. */
  exactlyOne: 'x-stateward-exactly-one',
  /** {@link DurationLimits} of a duration text. */
  duration: 'x-stateward-duration',
  /** What a pattern means, in words: the hint of a value that does not match. */
  hint: 'x-stateward-hint',
  /** `set` (no item twice) or `map` (no two items with the same keys), as Kubernetes means it. */
  listType: 'x-kubernetes-list-type',
  listMapKeys: 'x-kubernetes-list-map-keys',
  /** CEL rules over `self`, as Kubernetes means them. */
  rules: 'x-kubernetes-validations',
  /** Any JSON below here. */
  anyJson: 'x-kubernetes-preserve-unknown-fields',
} as const

export interface Variant {
  readonly required: readonly string[]
  readonly optional: readonly string[]
}

/** The field `by` chooses a variant; a field that only other variants list is refused. Fields no variant lists are common. */
export interface Variants {
  readonly by: string
  readonly variants: Readonly<Record<string, Variant>>
}

/** Both inclusive, as duration texts. */
export interface DurationLimits {
  readonly min: string
  readonly max: string
}

/** Fields that only some variants have. */
export function variantFields(variants: Variants): string[] {
  return [...new Set(Object.values(variants.variants).flatMap((variant) => [...variant.required, ...variant.optional]))]
}

/** Fields a variant refuses, though others have them. */
export function refusedBy(variants: Variants, name: string): string[] {
  const variant = variants.variants[name]
  if (variant === undefined) return []
  return variantFields(variants).filter(
    (field) => !variant.required.includes(field) && !variant.optional.includes(field),
  )
}

/** A schema as plain JSON, for who walks through it. */
export type SchemaRecord = Readonly<Record<string, unknown>>

export function schemaRecord(schema: TSchema): SchemaRecord {
  return schema as SchemaRecord
}
