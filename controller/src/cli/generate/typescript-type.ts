import type { JsonSchema } from '../../api/openapi/schema-components.ts'

/** The TypeScript type of a schema as it stands in the OpenAPI document. Throws TypeError for a keyword it does not know. */
export function typescriptType(schema: JsonSchema, indent = ''): string {
  const { $ref, anyOf, allOf, type, items, properties, patternProperties, additionalProperties } = schema
  if (typeof $ref === 'string') return $ref.slice($ref.lastIndexOf('/') + 1)
  if ('const' in schema) return JSON.stringify(schema['const'])
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => JSON.stringify(value)).join(' | ')
  if (Array.isArray(anyOf)) return anyOf.map((part: JsonSchema) => typescriptType(part, indent)).join(' | ')
  if (Array.isArray(allOf)) return allOf.map((part: JsonSchema) => typescriptType(part, indent)).join(' & ')
  switch (type) {
    case undefined:
      return 'unknown'
    case 'null':
      return 'null'
    case 'string':
    case 'boolean':
      return type
    case 'integer':
    case 'number':
      return 'number'
    case 'array':
      return `readonly ${inner(typescriptType((items ?? {}) as JsonSchema, indent))}[]`
    case 'object':
      break
    default:
      throw new TypeError(`no TypeScript type for ${JSON.stringify(schema)}`)
  }
  if (properties === undefined) {
    const [values = additionalProperties] = Object.values((patternProperties ?? {}) as Record<string, unknown>)
    const known =
      typeof values === 'object' && values !== null ? typescriptType(values as JsonSchema, indent) : 'unknown'
    return `{ readonly [key: string]: ${known} }`
  }
  const required = new Set(schema['required'] as readonly string[] | undefined)
  return membersType(
    Object.entries(properties as Record<string, JsonSchema>).map(([name, member]) => ({
      name,
      schema: member,
      isRequired: required.has(name),
      ...(typeof member['description'] === 'string' ? { description: member['description'] } : {}),
    })),
    indent,
  )
}

interface Member {
  readonly name: string
  readonly schema: JsonSchema
  readonly isRequired: boolean
  /** It may be given as undefined, not only left out. */
  readonly orUndefined?: boolean
  readonly description?: string
}

/** An object type, one member a line. */
export function membersType(members: readonly Member[], indent = ''): string {
  if (members.length === 0) return '{ readonly [key: string]: never }'
  const deeper = `${indent}  `
  const lines = members.map(({ name, schema, isRequired, orUndefined, description }) => {
    const key = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : JSON.stringify(name)
    const comment = description === undefined ? '' : `${deeper}/** ${description.replaceAll('*/', '*\\/')} */\n`
    return `${comment}${deeper}readonly ${key}${isRequired ? '' : '?'}: ${typescriptType(schema, deeper)}${orUndefined === true ? ' | undefined' : ''}\n`
  })
  return `{\n${lines.join('')}${indent}}`
}

function inner(type: string): string {
  return /^[A-Za-z]+$/.test(type) || type.startsWith('{') ? type : `(${type})`
}
