import fc from 'fast-check'
import {
  type DurationLimits,
  KEYWORDS,
  type SchemaRecord,
  type Variants,
  variantFields,
} from '../../src/kinds/vocabulary.ts'
import { isObject } from '../../src/lib/json.ts'

/** Values that fit a schema of ours: what a person could have written. `omit` names fields that are left out everywhere. */
export function fitting(schema: SchemaRecord, omit: readonly string[] = []): fc.Arbitrary<unknown> {
  if (Array.isArray(schema['anyOf'])) return fc.oneof(...schema['anyOf'].map((option) => fitting(option, omit)))
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]))
  switch (schema['type']) {
    case 'string':
      return strings(schema)
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.integer({ min: Number(schema['minimum']), max: Math.min(Number(schema['maximum']), 2 ** 31 - 1) })
    case 'number':
      return fc.double({ min: Number(schema['minimum']), max: Number(schema['maximum']), noNaN: true })
    case 'array':
      return lists(schema, omit)
    case 'object':
      return isObject(schema['properties']) ? objects(schema, schema['properties'], omit) : maps(schema)
    default:
      return fc.jsonValue({ maxDepth: 2 })
  }
}

function strings(schema: SchemaRecord): fc.Arbitrary<string> {
  const limits = schema[KEYWORDS.duration] as DurationLimits | undefined
  if (limits !== undefined) return fc.constantFrom(limits.min, limits.max)
  const max = Number(schema['maxLength'])
  const min = Number(schema['minLength'] ?? 0)
  if (typeof schema['pattern'] === 'string') {
    return fc
      .stringMatching(new RegExp(schema['pattern']), { size: 'small' })
      .filter((text) => text.length >= min && text.length <= max)
  }
  return fc.string({ minLength: min, maxLength: Math.min(max, 20) })
}

function lists(schema: SchemaRecord, omit: readonly string[]): fc.Arbitrary<unknown[]> {
  const items = fitting(schema['items'] as SchemaRecord, omit)
  const length = { minLength: Number(schema['minItems'] ?? 0), maxLength: Math.min(Number(schema['maxItems']), 4) }
  const keys = schema[KEYWORDS.listMapKeys] as readonly string[] | undefined
  if (keys !== undefined)
    return fc.uniqueArray(items, {
      ...length,
      selector: (item) => keys.map((key) => (item as SchemaRecord)[key]).join('\n'),
    })
  if (schema[KEYWORDS.listType] === 'set') return fc.uniqueArray(items, length)
  return fc.array(items, length)
}

function maps(schema: SchemaRecord): fc.Arbitrary<unknown> {
  if (!isObject(schema['additionalProperties']))
    return fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), fc.jsonValue({ maxDepth: 1 }), {
      maxKeys: 3,
      noNullPrototype: true,
    })
  return fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), fitting(schema['additionalProperties']), {
    maxKeys: 3,
    noNullPrototype: true,
  })
}

function objects(schema: SchemaRecord, properties: SchemaRecord, omit: readonly string[]): fc.Arbitrary<unknown> {
  const required = (schema['required'] as readonly string[] | undefined) ?? []
  const record = (names: readonly string[], needed: readonly string[]): fc.Arbitrary<unknown> => {
    const model = Object.fromEntries(
      names
        .filter((name) => !omit.includes(name))
        .map((name) => [name, fitting(properties[name] as SchemaRecord, omit)]),
    )
    return fc.record(model, { requiredKeys: needed.filter((name) => name in model), noNullPrototype: true })
  }
  const all = Object.keys(properties)
  const one = schema[KEYWORDS.exactlyOne] as readonly string[] | undefined
  if (one !== undefined) {
    return fc.oneof(
      ...one.map((field) =>
        record(
          all.filter((name) => name === field || !one.includes(name)),
          [...required, field],
        ),
      ),
    )
  }
  const variants = schema[KEYWORDS.variants] as Variants | undefined
  if (variants === undefined) return record(all, required)
  const special = variantFields(variants)
  return fc.oneof(
    ...Object.entries(variants.variants).map(([name, variant]) => {
      const names = all.filter(
        (field) => !special.includes(field) || variant.required.includes(field) || variant.optional.includes(field),
      )
      const { default: left } = properties[variants.by] as SchemaRecord
      // The variant that nothing stands for may be written, or left out.
      return fc
        .tuple(record(names, [...required, ...variant.required]), name === left ? fc.boolean() : fc.constant(true))
        .map(([value, isWritten]) => {
          const { [variants.by]: _any, ...others } = value as SchemaRecord
          return isWritten ? { ...others, [variants.by]: name } : others
        })
    }),
  )
}
