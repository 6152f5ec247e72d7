import { load } from 'js-yaml'
import type { ObjectRef } from '../../../kinds/resource.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import { isObject, type JsonObject } from '../../../lib/json.ts'
import type { ServedView } from '../served-resource.ts'
import { LAST_APPLIED } from './last-applied.ts'

/** The part of an object that people say, and Git holds. */
export interface Said {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: JsonObject
}

/** Annotations that ask for something: they act, and are never written down. */
export const ASKS = {
  reconcile: 'stateward.dev/requestedAt',
  approve: 'stateward.dev/approve',
  reject: 'stateward.dev/reject',
  suspend: 'stateward.dev/suspend',
  land: 'stateward.dev/land',
} as const

/** What the server says of an object, and what only it says. */
const NOT_SAID = new Set<string>([LAST_APPLIED, 'stateward.dev/proposal', ...Object.values(ASKS)])

/** What of an object, as it is served or as somebody sent it, people say. */
export function saidOf(object: unknown): Said {
  const { metadata, spec } = object as {
    readonly metadata?: Partial<ServedView['metadata']>
    readonly spec?: JsonObject
  }
  const annotations = Object.entries(metadata?.annotations ?? {}).filter(([key]) => !NOT_SAID.has(key))
  return { labels: metadata?.labels ?? {}, annotations: Object.fromEntries(annotations), spec: spec ?? {} }
}

/** What an object asks for by its annotations, by the words of {@link ASKS}. */
export function asksOf(object: unknown): Partial<Record<keyof typeof ASKS, string>> {
  const { metadata } = object as { readonly metadata?: { readonly annotations?: Record<string, unknown> } }
  const annotations = metadata?.annotations ?? {}
  return Object.fromEntries(
    Object.entries(ASKS).flatMap(([word, key]) =>
      typeof annotations[key] === 'string' ? [[word, annotations[key]]] : [],
    ),
  )
}

/** The object of a body; the media type of server-side apply is also written as YAML. Throws SW_BAD_REQUEST. */
export function objectOfBody(body: unknown): JsonObject {
  const read = Buffer.isBuffer(body) ? yamlOf(body) : body
  if (!isObject(read)) throw fail('SW_BAD_REQUEST', 'the body is no object')
  return read as JsonObject
}

function yamlOf(bytes: Buffer): unknown {
  try {
    return load(bytes.toString('utf8'))
  } catch (error) {
    throw fail('SW_BAD_REQUEST', 'the body is neither JSON nor YAML', { cause: error })
  }
}

/** Throws SW_BAD_REQUEST when what was sent is not the object that the path names. */
export function assertNamed(object: JsonObject, ref: ObjectRef, apiVersion: string): void {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {}
  const wrong = (what: string, sent: unknown, named: string) =>
    fail('SW_BAD_REQUEST', `the ${what} of the object (${String(sent)}) does not match the one of the URL (${named})`)
  if (object['apiVersion'] !== undefined && object['apiVersion'] !== apiVersion)
    throw wrong('apiVersion', object['apiVersion'], apiVersion)
  if (object['kind'] !== undefined && object['kind'] !== ref.kind) throw wrong('kind', object['kind'], ref.kind)
  if (metadata['name'] !== undefined && metadata['name'] !== ref.name) throw wrong('name', metadata['name'], ref.name)
  const { namespace } = metadata
  if (namespace !== undefined && namespace !== '' && namespace !== ref.namespace)
    throw wrong('namespace', namespace, ref.namespace)
  for (const field of ['labels', 'annotations'])
    if (metadata[field] != null && !isObject(metadata[field]))
      throw fail('SW_BAD_REQUEST', `metadata.${field} is no map of texts`)
  if (object['spec'] != null && !isObject(object['spec'])) throw fail('SW_BAD_REQUEST', 'spec is no map')
}
