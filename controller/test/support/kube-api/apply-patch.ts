import { immutableJSONPatch, type JSONPatchDocument } from 'immutable-json-patch'
import { canonicalJson } from '../../../src/lib/digest.ts'
import { isObject, type Json, type JsonObject } from '../../../src/lib/json.ts'
import { mergePatch } from '../../../src/lib/merge-patch.ts'
import type { Stored } from './kube-store.ts'
import { type FieldOwners, refuse } from './refusal.ts'

/** What an object is after a patch of one of the forms an API server takes for custom resources. */
export function patched(
  before: Stored,
  body: Json,
  contentType: string,
  apply: {
    readonly manager: string | null
    readonly force: boolean
    readonly part: string
    readonly owners: FieldOwners
  },
): Stored {
  if (contentType === 'application/merge-patch+json')
    return mergePatch(before as unknown as Json, body) as unknown as Stored
  if (contentType === 'application/json-patch+json') {
    try {
      return immutableJSONPatch(before, body as unknown as JSONPatchDocument) as Stored
    } catch (error) {
      throw refuse(422, 'Invalid', `the server rejected our request due to an error in our request: ${String(error)}`)
    }
  }
  if (contentType !== 'application/apply-patch+yaml')
    throw refuse(415, 'UnsupportedMediaType', `the body of the request was in an unknown format: ${contentType}`)
  return applied(before, body as JsonObject, apply)
}

type Path = readonly string[]

/** Server-side apply: a manager owns the fields it applies; those it leaves out go, unless somebody else owns them, too. */
function applied(
  before: Stored,
  body: JsonObject,
  { manager, force, part, owners }: Parameters<typeof patched>[3],
): Stored {
  if (manager === null) throw refuse(400, 'BadRequest', 'fieldManager is required for apply patch')
  const own = `${manager} ${part}`
  const wanted = new Map(leaves(withoutIdentity(body, part)).map(([path, value]) => [JSON.stringify(path), value]))
  for (const [other, fields] of owners) {
    if (other === own) continue
    for (const [path, value] of wanted) {
      if (!fields.has(path) || canonicalJson(valueAt(before, JSON.parse(path) as Path)) === canonicalJson(value))
        continue
      if (!force)
        throw refuse(409, 'Conflict', `Apply failed with 1 conflict: conflict with "${other.split(' ')[0]}"`, [
          { field: (JSON.parse(path) as string[]).join('.'), message: `conflict with "${other.split(' ')[0]}"` },
        ])
      fields.delete(path)
    }
  }
  const after = structuredClone(before)
  for (const path of owners.get(own) ?? [])
    if (!wanted.has(path) && ![...owners].some(([other, fields]) => other !== own && fields.has(path)))
      removeAt(after as never, JSON.parse(path) as Path)
  for (const [path, value] of wanted) setAt(after as never, JSON.parse(path) as Path, value)
  owners.set(own, new Set(wanted.keys()))
  const { uid, resourceVersion } = isObject(body['metadata']) ? body['metadata'] : {}
  if (typeof uid === 'string') after.metadata.uid = uid
  if (typeof resourceVersion === 'string') after.metadata.resourceVersion = resourceVersion
  return after
}

function withoutIdentity(body: JsonObject, part: string): JsonObject {
  if (part === 'status') return body['status'] === undefined ? {} : { status: body['status'] }
  const { apiVersion: _v, kind: _k, metadata, status: _s, ...rest } = body
  const { name: _n, namespace: _ns, uid: _u, resourceVersion: _r, ...meta } = (metadata ?? {}) as JsonObject
  return { ...rest, ...(Object.keys(meta).length === 0 ? {} : { metadata: meta }) }
}

/** Lists are owned as a whole. */
function leaves(value: Json, path: Path = []): readonly (readonly [Path, Json])[] {
  if (!isObject(value)) return [[path, value as Json]]
  const entries = Object.entries(value as JsonObject)
  if (entries.length === 0 && path.length > 0) return [[path, value as Json]]
  return entries.flatMap(([key, member]) => leaves(member, [...path, key]))
}

function valueAt(object: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), object)
}

function setAt(object: Record<string, unknown>, path: Path, value: Json): void {
  const at = path.slice(0, -1).reduce((into, key) => {
    if (!isObject(into[key])) into[key] = {}
    return into[key] as Record<string, unknown>
  }, object)
  at[path.at(-1)!] = value
}

function removeAt(object: Record<string, unknown>, path: Path): void {
  const at = valueAt(object, path.slice(0, -1))
  if (isObject(at)) delete at[path.at(-1)!]
}
