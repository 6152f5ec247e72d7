import type { OpenApiDocument, Operation, Parameter } from '../../api/openapi/document.ts'
import type { JsonSchema } from '../../api/openapi/schema-components.ts'
import { GENERATED_NOTE, table } from './markdown.ts'

interface Entry {
  readonly method: string
  readonly path: string
  readonly aliases: readonly string[]
  readonly operation: Operation
}

/** The reference page of the API: what each route takes, who may call it, and what it answers. */
export function apiPage(document: OpenApiDocument): string {
  const entries = entriesOf(document)
  const sections = document.tags.flatMap(({ name }) => {
    const own = entries.filter(({ operation }) => operation.tags[0] === name)
    return [`## ${name}`, ...own.flatMap((entry) => section(entry))]
  })
  return `${[
    GENERATED_NOTE,
    '# API',
    `Served on the address that \`stateward up\` prints, as OpenAPI 3.1 at \`/openapi.json\` ([the same file](openapi.json)). The Kubernetes API under \`/kube\` describes itself.`,
    document.info.description,
    'A credential comes as `Authorization: Bearer …` or `X-API-Key: …`. Each route names the verb it needs; roles are lists of verbs.',
    table(
      ['route', 'what it does', 'verb'],
      entries.map(({ method, path, operation }) => [
        `[\`${method} ${path}\`](#${anchor(operation.operationId)})`,
        operation.summary,
        operation['x-verb'] ?? 'public',
      ]),
    ),
    ...sections,
    '## Schemas',
    ...Object.entries(document.components.schemas).flatMap(([name, schema]) => [`### ${name}`, membersTable(schema)]),
  ].join('\n\n')}\n`
}

function entriesOf(document: OpenApiDocument): Entry[] {
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
  return all
    .filter(({ operation }) => operation['x-alias-of'] === undefined)
    .map((entry) => ({
      ...entry,
      aliases: all
        .filter(({ operation }) => operation['x-alias-of'] === entry.operation.operationId)
        .map(({ path }) => path),
    }))
}

function anchor(operationId: string): string {
  return operationId.toLowerCase()
}

function section({ method, path, aliases, operation }: Entry): string[] {
  const verb = operation['x-verb']
  const parameters = (operation.parameters ?? []).filter((each): each is Parameter => 'name' in each)
  const body = operation.requestBody
  const [bodyType, bodyContent] = Object.entries(body?.content ?? {})[0] ?? []
  return [
    `### ${operation.operationId}`,
    `\`${method} ${path}\`${aliases.map((alias) => `, also \`${alias}\``).join('')}`,
    `${operation.summary}.${operation.description === undefined ? '' : ` ${operation.description}`}`,
    verb === undefined
      ? 'Public.'
      : `Needs the verb \`${verb}\`, which the roles ${(operation['x-roles'] ?? []).map((role) => `\`${role}\``).join(', ')} have.`,
    ...(parameters.length === 0
      ? []
      : [
          table(
            ['parameter', 'in', 'type', '', ''],
            parameters.map(({ name, in: place, required, schema, description }) => [
              `\`${name}\``,
              place,
              typeText(schema),
              required ? 'required' : '',
              description ?? '',
            ]),
          ),
        ]),
    ...(bodyContent === undefined
      ? []
      : [
          `Body: \`${bodyType}\`${body?.required === true ? '' : ', may be left out'}, ${typeLink(bodyContent.schema)}${operation['x-body-limit'] === undefined ? '' : `, at most ${operation['x-body-limit']} bytes`}.`,
          ...('properties' in bodyContent.schema ? [membersTable(bodyContent.schema)] : []),
        ]),
    answersTable(operation),
    `\`\`\`sh\n${curl(method, path, parameters, bodyType, bodyContent?.example)}\n\`\`\``,
    ...exampleAnswer(operation),
  ]
}

function answersTable({ responses }: Operation): string {
  return table(
    ['answer', 'type', ''],
    Object.entries(responses).map(([status, response]) => {
      if ('$ref' in response) return ['any other', '[ErrorResponse](#errorresponse)', '']
      const [type, content] = Object.entries(response.content ?? {})[0] ?? []
      if (content === undefined) return [status, '', response.description]
      return [status, type === 'application/json' ? typeLink(content.schema) : `\`${type}\``, response.description]
    }),
  )
}

function exampleAnswer({ responses }: Operation): string[] {
  for (const response of Object.values(responses)) {
    if ('$ref' in response) continue
    for (const [type, { example }] of Object.entries(response.content ?? {})) {
      if (example === undefined) continue
      return [
        type === 'application/json'
          ? `\`\`\`json\n${JSON.stringify(example, null, 2)}\n\`\`\``
          : `\`\`\`text\n${String(example).trimEnd()}\n\`\`\``,
      ]
    }
  }
  return []
}

function curl(
  method: string,
  path: string,
  parameters: readonly Parameter[],
  bodyType: string | undefined,
  body: unknown,
): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const example = parameters.find((each) => each.in === 'path' && each.name === name)?.example
    return encodeURIComponent(String(example ?? `{${name}}`))
  })
  const query = parameters
    .filter(({ in: place, example }) => place === 'query' && example !== undefined)
    .map(({ name, example }) => `${name}=${encodeURIComponent(String(example))}`)
    .join('&')
  const lines = [
    `curl ${method === 'GET' ? '' : `-X ${method} `}"$STATEWARD_URL${filled}${query === '' ? '' : `?${query}`}" -H "Authorization: Bearer $STATEWARD_TOKEN"`,
  ]
  if (body !== undefined) {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    lines.push(`  -H 'Content-Type: ${bodyType}' --data '${text.replaceAll("'", `'\\''`)}'`)
  }
  return lines.join(' \\\n')
}

function membersTable(schema: JsonSchema): string {
  const required = new Set((schema['required'] as readonly string[] | undefined) ?? [])
  const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>)
  if (properties.length === 0) return typeText(schema)
  return table(
    ['member', 'type', '', ''],
    properties.map(([name, member]) => [
      `\`${name}\``,
      typeText(member),
      required.has(name) ? 'always' : '',
      String(member['description'] ?? ''),
    ]),
  )
}

function typeLink(schema: JsonSchema): string {
  const text = typeText(schema)
  return /^[A-Z]\w+$/.test(text) ? `[${text}](#${text.toLowerCase()})` : text
}

function typeText(schema: JsonSchema): string {
  const { $ref, anyOf, type, items, format, properties } = schema
  const bounds = boundsText(schema)
  if (typeof $ref === 'string') return $ref.slice($ref.lastIndexOf('/') + 1)
  if ('const' in schema) return `\`${JSON.stringify(schema['const'])}\``
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => `\`${value}\``).join(' or ') + bounds
  if (Array.isArray(anyOf)) return anyOf.map((part: JsonSchema) => typeText(part)).join(' or ')
  if (type === 'array') return `list of ${typeText((items ?? {}) as JsonSchema)}${bounds}`
  if (type === 'object' && properties !== undefined) return `object (${Object.keys(properties as object).join(', ')})`
  return `${format ?? type ?? 'any'}${bounds}`
}

function boundsText(schema: JsonSchema): string {
  const words = [
    schema['minimum'] === undefined ? null : `≥ ${schema['minimum']}`,
    schema['maximum'] === undefined ? null : `≤ ${schema['maximum']}`,
    schema['maxLength'] === undefined ? null : `at most ${schema['maxLength']} characters`,
    schema['maxItems'] === undefined ? null : `at most ${schema['maxItems']}`,
    schema['default'] === undefined ? null : `default ${JSON.stringify(schema['default'])}`,
  ].filter((word) => word !== null)
  return words.length === 0 ? '' : `, ${words.join(', ')}`
}
