import type { FastifyReply } from 'fastify'
import Type from 'typebox'
import type { ObjectView } from '../../../kinds/resource.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import { isObject, type JsonObject } from '../../../lib/json.ts'
import { specVersionOf } from '../../../store/queries/objects-read.ts'
import type { ApiContext } from '../../context.ts'
import { parseJsonText } from '../../http/json-body.ts'
import type { Api } from '../../http/typed.ts'
import { apiVersionOf, pathOf, type ServedGroup } from '../served-resource.ts'
import { actOn } from './actions.ts'
import { PATCH_TYPES, patchedObject } from './patch.ts'
import { proposeObject, proposeRemoval, type Write } from './propose.ts'
import { asksOf, assertNamed, objectOfBody } from './sent-object.ts'
import { declared, existing, type WriteRequest, writeOf } from './write-of.ts'

/** As of an API server. */
const BODY_LIMIT = 3 * 1024 * 1024
const PROTOBUF = 'application/vnd.kubernetes.protobuf'
const KUBECTL_LAST_APPLIED = 'kubectl-last-applied'

const WriteQuery = Type.Object({
  dryRun: Type.Optional(Type.String({ maxLength: 20 })),
  fieldManager: Type.Optional(Type.String({ maxLength: 128 })),
})
const Place = { namespace: Type.Optional(Type.String()), plural: Type.String() }
const CollectionParams = Type.Object(Place)
const ObjectParams = Type.Object({ ...Place, name: Type.String() })

/** Bodies as Kubernetes clients write them, and only here. */
export function addBodies(app: Api): void {
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser(
    ['application/json', PATCH_TYPES.merge, PATCH_TYPES.json],
    { parseAs: 'string', bodyLimit: BODY_LIMIT },
    async (_request: unknown, body: string | Buffer) => {
      const text = String(body)
      return text.trim() === '' ? undefined : parseJsonText(text)
    },
  )
  app.addContentTypeParser(
    [PATCH_TYPES.apply, PROTOBUF],
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT },
    (_request, body, done) => done(null, body),
  )
}

/** Writes of declared objects: each is a commit that somebody merges, and annotations that ask for something act at once. */
export function addWrites(app: Api, context: ApiContext, group: ServedGroup): void {
  const base = `/kube${pathOf(group)}`
  const config = { access: 'kube.write' as const, isCounted: false }
  const of = (verb: string, request: WriteRequest, reply: FastifyReply) =>
    writeOf({ context, group, plural: request.params.plural ?? '' }, verb, request, reply)
  for (const place of ['', '/namespaces/:namespace']) {
    const collection = { config, schema: { params: CollectionParams, querystring: WriteQuery } }
    const object = { config, schema: { params: ObjectParams, querystring: WriteQuery } }
    app.post(`${base}${place}/:plural`, collection, (request, reply) => create(of('create', request, reply)))
    app.put(`${base}${place}/:plural/:name`, object, (request, reply) => replace(of('update', request, reply)))
    app.patch(`${base}${place}/:plural/:name`, object, (request, reply) =>
      patch(of('patch', request, reply), request.query.fieldManager),
    )
    app.delete(`${base}${place}/:plural/:name`, object, async (request, reply) => {
      const write = of('delete', request, reply)
      return proposeRemoval(write, await existing(write))
    })
  }
}

async function create(write: Write): Promise<unknown> {
  const object = objectOfBody(write.request.body)
  if (write.ref.name === '') throw fail('SW_BAD_REQUEST', 'metadata.name is missing', { remedy: 'name the object' })
  assertNamed(object, write.ref, apiVersionOf(write.group))
  if ((await declared(write)) !== null)
    throw fail('SW_CONFLICT', `${write.resource.plural}.${write.group.group} "${write.ref.name}" already exists`, {
      details: { kube_reason: 'AlreadyExists', name: write.ref.name, kind: write.resource.plural },
    })
  return proposeObject(write, object, null)
}

async function replace(write: Write): Promise<unknown> {
  const object = objectOfBody(write.request.body)
  assertNamed(object, write.ref, apiVersionOf(write.group))
  const current = await existing(write)
  await assertCurrent(write, object, current)
  await actOn(write, asksOf(object))
  return proposeObject(write, object, current)
}

async function patch(write: Write, fieldManager: string | undefined): Promise<unknown> {
  const { request, ref, group } = write
  const type = String(request.headers['content-type'] ?? '').split(';', 1)[0]!
  const isApply = type === PATCH_TYPES.apply
  const current = isApply ? await declared(write) : await existing(write)
  // What kubectl remembers of an apply is made up when it asks.
  if (current !== null && fieldManager === KUBECTL_LAST_APPLIED) return current
  const before = (current ?? { apiVersion: apiVersionOf(group), kind: ref.kind, metadata: {}, spec: {} }) as unknown
  const after = patchedObject(before as JsonObject, request.body, type)
  assertNamed(after, ref, apiVersionOf(group))
  if (current !== null) {
    const sent = type === PATCH_TYPES.json ? {} : objectOfBody(request.body)
    await assertCurrent(write, sent, current)
    await actOn(write, asksOf(after))
    // Nothing of a run is declared.
    if (ref.kind === 'Run') return current
  }
  return proposeObject(write, after, current)
}

/** Only a change of the spec since the version that was sent is a conflict: the status moves all the time. */
async function assertCurrent(write: Write, sent: JsonObject, current: ObjectView): Promise<void> {
  const metadata = isObject(sent['metadata']) ? sent['metadata'] : {}
  const { resourceVersion, uid } = metadata
  if (typeof uid === 'string' && uid !== '' && uid !== current.metadata.uid) throw changed(write)
  if (typeof resourceVersion !== 'string' || resourceVersion === '') return
  const version = await specVersionOf(write.context.store.engine, current.metadata.uid)
  if (version !== null && version > Number(resourceVersion)) throw changed(write)
}

function changed({ resource, group, ref }: Write): Error {
  return fail(
    'SW_CONFLICT',
    `Operation cannot be fulfilled on ${resource.plural}.${group.group} "${ref.name}": the object has been modified; please apply your changes to the latest version and try again`,
    { details: { name: ref.name, group: group.group, kind: resource.plural } },
  )
}
