import type { TSchema } from 'typebox'
import { isObject } from '../lib/json.ts'
import { KEYWORDS, refusedBy, type Variants } from './vocabulary.ts'

/** Fills one value; answers with the same value when there is nothing to fill, and never changes the one it got. */
export type Filler = (value: unknown) => unknown

/**
 * Compiles the `default`s of a schema. A default fills a field that is absent in an object that is there; a default of
 * an object is filled in turn. Fields that a variant refuses stay absent. null when the schema holds no default.
 */
export function compileDefaults(schema: TSchema): Filler | null {
  const record = schema as Readonly<Record<string, unknown>>
  if (isObject(record['properties'])) return objectFiller(record['properties'], record)
  if (isObject(record['items'])) return listFiller(record['items'])
  return null
}

const NONE: readonly string[] = []

interface FieldFiller {
  readonly name: string
  readonly hasDefault: boolean
  readonly makeDefault: () => unknown
  readonly fill: Filler | null
}

function objectFiller(
  properties: Readonly<Record<string, unknown>>,
  schema: Readonly<Record<string, unknown>>,
): Filler | null {
  const fields = Object.entries(properties).flatMap(([name, property]): FieldFiller[] => {
    if (!isObject(property)) return []
    const fill = compileDefaults(property as TSchema)
    const declared = property['default']
    const hasDefault = declared !== undefined
    if (!hasDefault && fill === null) return []
    const makeDefault = (): unknown => {
      if (typeof declared !== 'object') return declared
      const value = structuredClone(declared)
      return fill === null ? value : fill(value)
    }
    return [{ name, hasDefault, makeDefault, fill }]
  })
  if (fields.length === 0) return null
  const variants = schema[KEYWORDS.variants] as Variants | undefined
  const refusals = new Map(Object.keys(variants?.variants ?? {}).map((name) => [name, refusedBy(variants!, name)]))
  return (value) => {
    if (!isObject(value)) return value
    const refused = variants === undefined ? NONE : (refusals.get(String(value[variants.by])) ?? NONE)
    let filled: Record<string, unknown> | null = null
    for (const { name, hasDefault, makeDefault, fill } of fields) {
      const present = value[name]
      if (present === undefined && (!hasDefault || refused.includes(name))) continue
      const next = present === undefined ? makeDefault() : fill === null ? present : fill(present)
      if (next === present) continue
      filled ??= { ...value }
      filled[name] = next
    }
    return filled ?? value
  }
}

function listFiller(items: Readonly<Record<string, unknown>>): Filler | null {
  const fill = compileDefaults(items as TSchema)
  if (fill === null) return null
  return (value) => {
    if (!Array.isArray(value)) return value
    const filled = value.map((item: unknown) => fill(item))
    return filled.some((item, i) => item !== value[i]) ? filled : value
  }
}
