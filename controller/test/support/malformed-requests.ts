import type { OpenApiDocument, Operation, Parameter } from '../../src/api/openapi/document.ts'
import type { JsonSchema } from '../../src/api/openapi/schema-components.ts'

/** A request that no schema of the document lets through, or that names what is not there. */
export interface MalformedRequest {
  readonly what: string
  /** False: it may be answered, since it is no more than a name that names nothing. */
  readonly isWrong: boolean
  readonly method: string
  /** With its query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface DocumentedOperation {
  readonly operation: Operation
  readonly method: string
  readonly path: string
}

export function operationsOf(document: OpenApiDocument): DocumentedOperation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ operation, method: method.toUpperCase(), path })),
  )
}

const JSON_TYPE = { 'content-type': 'application/json' }

/** Every way in which a request of an operation can be wrong, as far as its description tells. */
export function malformedRequests(document: OpenApiDocument, described: DocumentedOperation): MalformedRequest[] {
  const { operation, method, path } = described
  const parameters = (operation.parameters ?? []).filter((each): each is Parameter => 'name' in each)
  const url = filled(path, parameters)
  const json = operation.requestBody?.content['application/json']
  const isOptional = operation.requestBody?.required === false
  const limit = operation['x-body-limit']
  const found: MalformedRequest[] = []
  const add = (what: string, request: Partial<MalformedRequest>): void => {
    found.push({ what, isWrong: true, method, url, headers: {}, ...request })
  }

  for (const [name, value] of Object.entries(BAD_PARTS)) {
    for (const parameter of parameters.filter((each) => each.in === 'path'))
      add(`${name} as ${parameter.name}`, {
        isWrong: false,
        url: filled(path, parameters, { [parameter.name]: value }),
        ...(json === undefined ? {} : { headers: JSON_TYPE, body: JSON.stringify(json.example) }),
      })
  }
  if (operation['x-alias-of'] === undefined) {
    for (const parameter of parameters.filter((each) => each.in === 'query')) {
      const wrong = wrongText(parameter.schema)
      if (wrong !== null) add(`a wrong ${parameter.name}`, { url: `${url}?${parameter.name}=${wrong}` })
    }
  }
  if (parameters.some((each) => each.in === 'query')) add('an unknown query field', { url: `${url}?x'--=1` })
  if (json === undefined) return found

  const schema = resolved(document, json.schema)
  const example = json.example as Record<string, unknown>
  const send = (what: string, body: unknown): void => {
    add(what, { headers: JSON_TYPE, body: typeof body === 'string' ? body : JSON.stringify(body) })
  }
  send('half a document', '{"a":')
  send('no JSON', '<script>alert(1)</script>')
  send('a list', '[]')
  send('a text', '"x"')
  send('a number', '5')
  if (!isOptional) {
    send('null', 'null')
    send('nothing', '')
  }
  send('a field it does not name', { ...example, 'x"; DROP TABLE events; --': 1 })
  send('a prototype', JSON.stringify(example).replace(/^\{/, '{"__proto__":{"admin":true},'))
  send('a constructor', JSON.stringify(example).replace(/^\{/, '{"constructor":{"prototype":{"admin":true}},'))
  send('10,000 levels', `{"x":${'['.repeat(5_000)}${']'.repeat(5_000)}}`)
  add('another content type', { headers: { 'content-type': 'application/xml' }, body: '<a/>' })
  if (limit !== undefined) send('too much', { ...example, padding: 'x'.repeat(limit) })
  const required = (schema['required'] as readonly string[] | undefined) ?? []
  for (const name of required) {
    const { [name]: _, ...rest } = example
    send(`no ${name}`, rest)
  }
  for (const [name, member] of Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>)) {
    for (const [i, value] of wrongValues(resolved(document, member)).entries())
      send(`a wrong ${name} (${i})`, { ...example, [name]: value })
  }
  return found
}

/** Parts of paths that name nothing, and must open nothing. */
const BAD_PARTS: Readonly<Record<string, string>> = {
  SQL: "x' OR '1'='1'; DROP TABLE events; --",
  'a path': '../../../../etc/passwd',
  'an encoded path': '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  'a NUL': 'a\u0000b',
  'a right-to-left mark': '\u202egnp.exe',
  'a script': '<script>alert(1)</script>',
  'a long text': 'x'.repeat(5_000),
  'another id': '00000000-0000-0000-0000-000000000000',
  'half an id': '0000',
  'an expression': '{{7*7}}#{7*7}',
  'a header': 'x\r\nSet-Cookie: a=b',
  'a glob': '%*_',
}

function filled(path: string, parameters: readonly Parameter[], values: Readonly<Record<string, string>> = {}): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const example = parameters.find((each) => each.in === 'path' && each.name === name)?.example
    return encodeURIComponent(values[name] ?? String(example))
  })
}

function resolved({ components }: OpenApiDocument, schema: JsonSchema): JsonSchema {
  const { $ref } = schema
  return typeof $ref === 'string' ? components.schemas[$ref.slice($ref.lastIndexOf('/') + 1)]! : schema
}

/** A text that does not fit a schema of a query; null when any text does. */
function wrongText(schema: JsonSchema): string | null {
  const injected = "' OR 1=1 --"
  const { pattern } = schema
  if (typeof pattern === 'string' && new RegExp(pattern).test(injected)) return null
  if (Array.isArray(schema['enum']) || schema['format'] !== undefined || pattern !== undefined)
    return encodeURIComponent(injected)
  if (['integer', 'number', 'boolean'].includes(String(schema['type']))) return 'x'
  return typeof schema['maxLength'] === 'number' ? 'x'.repeat(schema['maxLength'] + 1) : null
}

/** Values that do not fit a schema, whatever else it says. */
function wrongValues(schema: JsonSchema): unknown[] {
  const options = Array.isArray(schema['anyOf']) ? (schema['anyOf'] as JsonSchema[]) : [schema]
  const types = new Set(options.map(typeOf))
  if (types.has('any')) return ['a\u0000b', '\ud800']
  const wrong = Object.entries({ object: { a: 1 }, array: [1], boolean: true, number: 1.5, string: 'a\u0000b' })
    .filter(([type]) => !types.has(type) || type === 'string')
    .map(([, value]) => value)
  const texts = options.filter((each) => typeof each['maxLength'] === 'number')
  return [...wrong, ...texts.map((each) => 'x'.repeat(Number(each['maxLength']) + 1)), '\ud800']
}

function typeOf(schema: JsonSchema): string {
  if (Array.isArray(schema['enum'])) return 'enum'
  if ('const' in schema) return 'const'
  if ('$ref' in schema) return 'object'
  const { type } = schema
  // A whole number is a number, and 1.5 is none of the former.
  return type === undefined ? 'any' : String(type)
}
