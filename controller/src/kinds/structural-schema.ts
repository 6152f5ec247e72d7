import { isObject } from '../lib/json.ts'
import type { CelRule } from './definition.ts'
import { KEYWORDS, refusedBy, type SchemaRecord, type Variants } from './vocabulary.ts'

/**
 * Kinds' schemas as Kubernetes wants them: structural, our own keywords as CEL rules. Defaults are left out on purpose:
 * an API server would fill them before a template is merged, and then the template could never give the field.
 */

/** Kept as they are where a structural schema may have them. */
const KEPT = [
  'description',
  'type',
  'format',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
  KEYWORDS.anyJson,
  KEYWORDS.listType,
  KEYWORDS.listMapKeys,
]

export function structuralSchema(schema: SchemaRecord, extraRules: readonly CelRule[] = []): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const keyword of KEPT) if (schema[keyword] !== undefined) result[keyword] = schema[keyword]
  if (result['type'] === 'integer') result['format'] = 'int64'
  if (isObject(schema['properties'])) {
    result['properties'] = Object.fromEntries(
      Object.entries(schema['properties']).map(([name, property]) => [
        name,
        structuralSchema(property as SchemaRecord),
      ]),
    )
  }
  if (isObject(schema['items'])) result['items'] = structuralSchema(schema['items'])
  if (isObject(schema['additionalProperties']))
    result['additionalProperties'] = structuralSchema(schema['additionalProperties'])
  const rules = [...rulesOf(schema), ...extraRules]
  if (rules.length > 0) result[KEYWORDS.rules] = rules.map(({ rule, message }) => ({ rule, message }))
  return result
}

function rulesOf(schema: SchemaRecord): CelRule[] {
  const rules: CelRule[] = []
  const variants = schema[KEYWORDS.variants] as Variants | undefined
  if (variants !== undefined) {
    const properties = isObject(schema['properties']) ? schema['properties'] : {}
    const chooser = properties[variants.by]
    const isSeen = (field: string) => isObject(properties[field]) && properties[field]['type'] !== undefined
    rules.push(...variantRules(variants, isObject(chooser) ? chooser['default'] : undefined, isSeen))
  }
  const one = schema[KEYWORDS.exactlyOne] as readonly string[] | undefined
  if (one !== undefined) {
    rules.push({
      rule: `${one.map((field) => `(${has(field)} ? 1 : 0)`).join(' + ')} == 1`,
      message: `exactly one of ${one.join(', ')} is needed`,
    })
  }
  return [...rules, ...((schema[KEYWORDS.rules] as readonly CelRule[] | undefined) ?? [])]
}

/** Names that CEL keeps for itself: a field of such a name is written with two low lines around it. */
const CEL_WORDS = new Set([
  ...['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import'],
  ...['let', 'loop', 'package', 'namespace', 'return', 'var', 'void', 'while'],
])

const has = (field: string): string => `has(self.${CEL_WORDS.has(field) ? `__${field}__` : field})`

/**
 * `left` is what stands where the field is left out: a rule that reads a field that is not there refuses the object. A field of
 * no one type is none that a rule of Kubernetes can see: those are left to our own validation.
 */
function variantRules({ by, variants }: Variants, left: unknown, isSeen: (field: string) => boolean): CelRule[] {
  return Object.entries(variants).flatMap(([name, { required, optional }]) => {
    const is = `self.${by} != '${name}'`
    const other = left === undefined ? is : left === name ? `(has(self.${by}) && ${is})` : `!has(self.${by}) || ${is}`
    const refused = refusedBy({ by, variants }, name).filter(isSeen)
    const rules: CelRule[] = []
    if (required.length > 0) {
      rules.push({
        rule: `${other} || (${required.map(has).join(' && ')})`,
        message: `${name} needs ${required.join(' and ')}`,
      })
    }
    if (refused.length > 0) {
      rules.push({
        rule: `${other} || !(${refused.map(has).join(' || ')})`,
        message: `${name} takes only ${[...required, ...optional].join(', ')} besides the fields of every step`,
      })
    }
    return rules
  })
}
