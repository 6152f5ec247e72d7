import { API_VERSION, GROUP, type KindDefinition, VERSION } from '../../kinds/definition.ts'
import { RECORD_KINDS } from '../../kinds/record-kinds.ts'
import { recordSchema, resourceSchema } from '../../kinds/resource-schema.ts'
import { sha256 } from '../../lib/digest.ts'
import type { Api } from '../http/typed.ts'

const PATH = `apis/${API_VERSION}`
/** As kubectl writes it; what it asks for reads `…v2@v1.0+protobuf`, which is no media type. */
const PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
const METADATA = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/**
 * OpenAPI v3 of the kinds and of records, which `explain`, `apply` and `create` read. Of v2 there is an empty document, which is all that
 * kubectl before 1.29 needs.
 */
export function addOpenApi(app: Api, kinds: readonly KindDefinition[]): void {
  const config = { access: 'read' as const, isCounted: false }
  let made: { readonly text: string; readonly hash: string } | null = null
  const document = () => {
    if (made === null) {
      const text = JSON.stringify(openApiOf(kinds))
      made = { text, hash: sha256(text).slice(0, 32).toUpperCase() }
    }
    return made
  }
  app.get('/kube/openapi/v3', { config }, async () => ({
    paths: { [PATH]: { serverRelativeURL: `/kube/openapi/v3/${PATH}?hash=${document().hash}` } },
  }))
  app.get(`/kube/openapi/v3/${PATH}`, { config }, async (_request, reply) => {
    reply.header('etag', `"${document().hash}"`).type('application/json; charset=utf-8')
    return reply.serializer(String).send(document().text)
  })
  app.get('/kube/openapi/v2', { config }, async (_request, reply) => {
    reply.header('content-type', PROTOBUF)
    return reply.serializer(String).send('')
  })
}

function openApiOf(kinds: readonly KindDefinition[]): Record<string, unknown> {
  const schemas = Object.fromEntries([
    ...kinds.map((kind) => [nameOf(kind), schemaOf(kind, resourceSchema(kind))]),
    ...RECORD_KINDS.map((kind) => [nameOf(kind), schemaOf(kind, recordSchema(kind))]),
  ])
  return {
    openapi: '3.0.0',
    info: { title: 'Stateward', version: VERSION },
    paths: Object.assign(
      {},
      ...kinds.map((kind) => pathsOf(kind, ALL)),
      ...RECORD_KINDS.map((kind) => pathsOf(kind, READ)),
    ) as Record<string, unknown>,
    components: { schemas: { ...schemas, [METADATA]: objectMeta() } },
  }
}

const READ = { collection: { get: 'list' }, object: { get: 'get' } }
const ALL = {
  collection: { get: 'list', post: 'post' },
  object: { get: 'get', put: 'put', patch: 'patch', delete: 'delete' },
}
type Row = Pick<KindDefinition, 'kind' | 'plural' | 'scope'>

const nameOf = ({ kind }: Row): string => `dev.stateward.${VERSION}.${kind}`
const typeOf = ({ kind }: Row) => ({ group: GROUP, version: VERSION, kind })

function schemaOf(kind: Row, schema: Record<string, unknown>): Record<string, unknown> {
  return {
    ...schema,
    properties: {
      ...(schema['properties'] as object),
      metadata: { allOf: [{ $ref: `#/components/schemas/${METADATA}` }] },
    },
    'x-kubernetes-group-version-kind': [typeOf(kind)],
  }
}

function pathsOf(kind: Row, verbs: typeof READ): Record<string, unknown> {
  const place = kind.scope === 'Cluster' ? '' : '/namespaces/{namespace}'
  const base = `/${PATH}${place}/${kind.plural}`
  const content = { 'application/json': { schema: { $ref: `#/components/schemas/${nameOf(kind)}` } } }
  const operation = (action: string) => ({
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': typeOf(kind),
    // With it, kubectl leaves the check of what it sends to the server.
    parameters: ['post', 'put', 'patch'].includes(action)
      ? ['fieldValidation', 'dryRun', 'fieldManager'].map((name) => ({ name, in: 'query', schema: { type: 'string' } }))
      : [],
    responses: { '200': { description: 'OK', content } },
  })
  const operations = (actions: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(actions).map(([method, action]) => [method, operation(action)]))
  return { [base]: operations(verbs.collection), [`${base}/{name}`]: operations(verbs.object) }
}

/** The part of ObjectMeta that acts here. */
function objectMeta(): Record<string, unknown> {
  const text = (description: string) => ({ type: 'string', description })
  const texts = (description: string) => ({ type: 'object', additionalProperties: { type: 'string' }, description })
  return {
    type: 'object',
    description: 'ObjectMeta names an object; Git says the names, labels and annotations, and the server the rest.',
    properties: {
      name: text('Unique among the objects of its kind in a namespace.'),
      namespace: text('Where it stands; "default" when nothing is said.'),
      labels: texts('What selectors find it by.'),
      annotations: texts('Notes of tools and people.'),
      uid: text('Given at its first apply.'),
      resourceVersion: text('The number of the newest event about it.'),
      generation: { type: 'integer', format: 'int64', description: 'Goes up when its spec changes.' },
      creationTimestamp: { ...text('When it was first applied.'), format: 'date-time' },
      deletionTimestamp: { ...text('When it was taken out of Git.'), format: 'date-time' },
    },
  }
}
