/** JSON Schema as OpenAPI 3.1 has it: 2020-12, unchanged. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/**
 * Collects schemas that have a title under `components/schemas` and leaves references in their place. Two different schemas
 * with one title are a mistake: throws TypeError.
 */
export class SchemaComponents {
  readonly #schemas = new Map<string, JsonSchema>()
  readonly #inline: boolean

  /** `inline`: schemas that have a title stay where they are. */
  constructor(options: { readonly inline?: boolean } = {}) {
    this.#inline = options.inline ?? false
  }

  /** The schema as it stands in the document: plain JSON, titled parts by reference. */
  place(schema: unknown): JsonSchema {
    // Plain JSON first: TypeBox leaves marks on its schemas that are none of JSON Schema's business.
    return this.#place(JSON.parse(JSON.stringify(schema))) as JsonSchema
  }

  /** By name, sorted. */
  all(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  #place(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#place(item))
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).filter(([key]) => !key.startsWith('~') && !key.startsWith('x-'))
    const placed = withoutDefaulted(
      Object.fromEntries(entries.map(([key, member]) => [key, this.#placeMember(key, member)])),
    )
    const { title } = placed
    if (this.#inline || typeof title !== 'string' || !('type' in placed)) return placed
    const known = this.#schemas.get(title)
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(placed))
      throw new TypeError(`two schemas are called ${title}`)
    this.#schemas.set(title, placed)
    return { $ref: `#/components/schemas/${title}` }
  }

  #placeMember(key: string, member: unknown): unknown {
    // Names of members are no keywords.
    if (key === 'properties' || key === 'patternProperties')
      return Object.fromEntries(Object.entries(member as JsonSchema).map(([name, each]) => [name, this.#place(each)]))
    // Values, not schemas.
    return ['default', 'const', 'enum', 'required', 'examples'].includes(key) ? member : this.#place(member)
  }
}

/** A member with a default need not be sent. */
function withoutDefaulted(schema: JsonSchema): JsonSchema {
  const { required, properties } = schema
  if (!Array.isArray(required) || typeof properties !== 'object' || properties === null) return schema
  const members = properties as Readonly<Record<string, JsonSchema>>
  const kept = required.filter((name) => !('default' in (members[String(name)] ?? {})))
  const { required: _, ...rest } = schema
  return kept.length === 0 ? rest : { ...rest, required: kept }
}
