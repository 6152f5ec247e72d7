import Type, { type TSchema } from 'typebox'
import { packageVersion } from '../../lib/package-root.ts'
import { rolesWith } from '../auth/roles.ts'
import { BODY_LIMIT } from '../http/json-body.ts'
import type { RouteFacts } from '../http/route.ts'
import { type JsonSchema, SchemaComponents } from './schema-components.ts'

export interface OpenApiDocument {
  readonly openapi: '3.1.0'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly responses: Readonly<Record<string, unknown>>
    readonly parameters: Readonly<Record<string, unknown>>
    readonly securitySchemes: Readonly<Record<string, unknown>>
  }
}

export interface Operation {
  readonly operationId: string
  readonly tags: readonly [string]
  readonly summary: string
  readonly description?: string
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly (Parameter | Reference)[]
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content } | Reference>>
  /** What a caller has to be allowed to do, who is, and the largest body in bytes. */
  readonly 'x-verb'?: string
  readonly 'x-roles'?: readonly string[]
  readonly 'x-body-limit'?: number
  /** The operation this is another path of. */
  readonly 'x-alias-of'?: string
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string
  readonly schema: JsonSchema
  readonly example?: unknown
}

interface Reference {
  readonly $ref: string
}
type Content = Readonly<Record<string, { readonly schema: JsonSchema; readonly example?: unknown }>>

const ErrorResponse = Type.Object(
  {
    error: Type.Object({
      code: Type.String({ description: 'a lower-case word, stable' }),
      message: Type.String({ description: 'for people' }),
      details: Type.Object({
        ref: Type.String({ description: 'the reference of the error catalogue: SW_…' }),
        remedy: Type.String({ description: 'what to do about it' }),
        violations: Type.Optional(
          Type.Array(Type.Object({ path: Type.String(), message: Type.String(), keyword: Type.String() }), {
            description: 'what a schema refused',
          }),
        ),
      }),
    }),
    correlation_id: Type.String(),
  },
  { title: 'ErrorResponse' },
)

const errorExample = {
  error: {
    code: 'validation_failed',
    message: 'body/limit must be <= 1000',
    details: {
      ref: 'SW_VALIDATION_FAILED',
      remedy: 'correct the fields named in details.violations',
      violations: [{ path: 'querystring/limit', message: 'must be <= 1000', keyword: 'maximum' }],
    },
  },
  correlation_id: '01983a4e-6b7c-7d10-9a54-3f2b8c1d0e77',
}

const DESCRIPTION = `Errors have one shape. Lists answer \`items\` and \`next_cursor\`; send it as \`cursor\` for the next page.
Every answer carries \`X-Correlation-Id\`: the caller's own when it is a plain word, else a new one. Objects that are answered say it as \`correlation_id\`, unless they say what they came of themselves, as runs and events do.
POST, PUT, PATCH and DELETE take \`Idempotency-Key\`: the same request under the same key is answered as the first time, for 24 hours; another request under it is 409.`

/** The OpenAPI 3.1 document of routes: the same for the same routes. */
export function openApiDocument(routes: readonly RouteFacts[]): OpenApiDocument {
  const components = new SchemaComponents()
  const paths: Record<string, Record<string, Operation>> = {}
  const error = components.place(ErrorResponse)
  for (const route of routes) {
    const operation = operationOf(route, components)
    for (const [i, path] of [route.path, ...(route.aliases ?? [])].entries()) {
      paths[path] ??= {}
      paths[path][route.method.toLowerCase()] =
        i === 0
          ? operation
          : { ...operation, operationId: `${route.operation}Alias${i}`, 'x-alias-of': route.operation }
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Stateward', version: packageVersion(), description: DESCRIPTION },
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: components.all(),
      responses: {
        Error: {
          description: 'It was refused, or it failed.',
          content: { 'application/json': { schema: error, example: errorExample } },
        },
      },
      parameters: {
        IdempotencyKey: {
          name: 'Idempotency-Key',
          in: 'header',
          required: false,
          schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
        },
        CorrelationId: {
          name: 'X-Correlation-Id',
          in: 'header',
          required: false,
          schema: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$' },
        },
      },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
    },
  }
}

function operationOf(route: RouteFacts, components: SchemaComponents): Operation {
  const { access, method, body } = route
  const mayRepeat = route.idempotency ?? method !== 'GET'
  return {
    operationId: route.operation,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security: access === 'public' ? [] : [{ bearer: [] }, { apiKey: [] }],
    ...(access === 'public' ? {} : { 'x-verb': access, 'x-roles': rolesWith(access) }),
    parameters: [
      ...parametersOf('path', route.params, route.example.params, components),
      ...parametersOf('query', route.query, route.example.query, components),
      { $ref: '#/components/parameters/CorrelationId' },
      ...(mayRepeat ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
    ],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: !('x-optional-body' in body),
            content: contentOf(body, route.example.body, components),
          },
          ...(route.takes === 'stream' ? {} : { 'x-body-limit': route.bodyLimit ?? BODY_LIMIT }),
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, schema], i) => [
          status,
          responseOf(status, schema, i === 0 ? route.example.answer : undefined, components),
        ]),
      ),
      default: { $ref: '#/components/responses/Error' },
    },
  }
}

function parametersOf(
  place: 'path' | 'query',
  schema: TSchema | undefined,
  example: Readonly<Record<string, unknown>> | undefined,
  components: SchemaComponents,
): Parameter[] {
  if (schema === undefined) return []
  const { properties, required = [] } = components.place(schema) as {
    properties: Readonly<Record<string, JsonSchema>>
    required?: readonly string[]
  }
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(typeof description === 'string' ? { description } : {}),
    schema: rest,
    ...(example?.[name] === undefined ? {} : { example: example[name] }),
  }))
}

function responseOf(status: string, schema: TSchema, example: unknown, components: SchemaComponents) {
  const { description } = schema as { description?: string }
  const text = description ?? (Number(status) < 300 ? 'Done.' : 'See the description.')
  return status === '204'
    ? { description: 'Nothing.' }
    : { description: text, content: contentOf(schema, example, components) }
}

function contentOf(schema: TSchema, example: unknown, components: SchemaComponents): Content {
  const { 'x-media-type': media = 'application/json' } = schema as { 'x-media-type'?: string }
  return { [media]: { schema: components.place(schema), ...(example === undefined ? {} : { example }) } }
}
