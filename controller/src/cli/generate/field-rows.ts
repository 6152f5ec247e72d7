import {
  type DurationLimits,
  KEYWORDS,
  refusedBy,
  type SchemaRecord,
  type Variants,
  variantFields,
} from '../../kinds/vocabulary.ts'
import { isObject } from '../../lib/json.ts'

/** One field of a kind, as its reference page shows it. */
export interface FieldRow {
  /** `spec.plan[].id` */
  readonly path: string
  readonly type: string
  readonly required: boolean
  readonly default: string
  readonly limits: string
  readonly description: string
}

/** Every field below a schema, in the order of the schema. */
export function fieldRows(schema: SchemaRecord, path: string): FieldRow[] {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  const variants = schema[KEYWORDS.variants] as Variants | undefined
  return Object.entries(properties).flatMap(([name, property]) => {
    if (!isObject(property)) return []
    const row: FieldRow = {
      path: `${path}.${name}`,
      type: typeOf(property),
      required: required.includes(name),
      default: defaultOf(property['default']),
      limits: [...limitsOf(property), ...variantLimits(variants, name)].join('; '),
      description: String(property['description'] ?? ''),
    }
    const items = property['items']
    const below = isObject(items) ? fieldRows(items, `${row.path}[]`) : fieldRows(property, row.path)
    return [row, ...below]
  })
}

function typeOf(schema: SchemaRecord): string {
  if (schema['type'] === 'array') return isObject(schema['items']) ? `list of ${typeOf(schema['items'])}` : 'list'
  if (schema['type'] === 'object') return isObject(schema['additionalProperties']) ? 'map of strings' : 'object'
  if (schema[KEYWORDS.duration] !== undefined) return 'duration'
  return typeof schema['type'] === 'string' ? schema['type'] : isMoney(schema) ? 'number or string' : 'any'
}

function isMoney(schema: SchemaRecord): boolean {
  return Array.isArray(schema['anyOf'])
}

/** An object's default only says that it is filled in turn. */
function defaultOf(value: unknown): string {
  return value === undefined || isObject(value) ? '' : JSON.stringify(value)
}

function limitsOf(schema: SchemaRecord): string[] {
  const limits: string[] = []
  const between = (min: unknown, max: unknown, unit: string): void => {
    if (max !== undefined) limits.push(`${min === undefined ? 'up to' : `${String(min)} to`} ${String(max)}${unit}`)
  }
  if (Array.isArray(schema['enum']))
    limits.push(`one of ${schema['enum'].map((word) => `\`${String(word)}\``).join(', ')}`)
  const range = schema[KEYWORDS.duration] as DurationLimits | undefined
  if (range !== undefined) limits.push(`${range.min} to ${range.max}`)
  else if (schema['type'] === 'string') between(schema['minLength'], schema['maxLength'], ' characters')
  between(schema['minimum'], schema['maximum'] === Number.MAX_SAFE_INTEGER ? undefined : schema['maximum'], '')
  between(schema['minItems'], schema['maxItems'], ' items')
  between(undefined, schema['maxProperties'], ' entries')
  if (schema[KEYWORDS.listType] === 'set') limits.push('no item twice')
  const keys = schema[KEYWORDS.listMapKeys]
  if (Array.isArray(keys)) limits.push(`unique by ${keys.join(' and ')}`)
  if (range === undefined && schema[KEYWORDS.hint] !== undefined) limits.push(String(schema[KEYWORDS.hint]))
  const items = schema['items']
  if (isObject(items) && items['properties'] === undefined)
    limits.push(...limitsOf(items).map((limit) => `each: ${limit}`))
  return limits
}

function variantLimits(variants: Variants | undefined, name: string): string[] {
  if (variants === undefined || !variantFields(variants).includes(name)) return []
  const takers = Object.entries(variants.variants).filter(([variant]) => !refusedBy(variants, variant).includes(name))
  return [
    `only ${takers.map(([variant, { required }]) => `\`${variant}\`${required.includes(name) ? ' (required)' : ''}`).join(', ')}`,
  ]
}
