import { stringify } from 'yaml'
import { fail } from '../lib/error-catalogue.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import type { DraftKind } from '../store/queries/drafts.ts'

export interface DraftContent {
  readonly namespace: string
  readonly name: string
  readonly kind: DraftKind
  readonly content: JsonObject
}

const API_VERSION = 'stateward.dev/v1alpha1'

/**
 * The file of the state repo that a draft comes to. A blueprint is the spec of one, or a flat file with `id`, `trigger` and
 * `plan`, which stays as it is; a pack is `{documents: […]}`. Whether that is any good, the checks of its proposal say.
 * Throws SW_INVALID_DEFINITION when it cannot become a file at all. Pure.
 */
export function draftFile({ namespace, name, kind, content }: DraftContent): {
  readonly path: string
  readonly text: string
} {
  const file = namespace === 'default' ? name : `${namespace}.${name}`
  if (kind === 'pack') return { path: `packs/${file}.yaml`, text: documentsOf(content).map(yaml).join('---\n') }
  const isFlat = typeof content['id'] === 'string' && Array.isArray(content['plan'])
  const document = isFlat
    ? content
    : { apiVersion: API_VERSION, kind: 'Blueprint', metadata: { name, ...placed(namespace) }, spec: content }
  return { path: `blueprints/${file}.yaml`, text: yaml(document) }
}

function documentsOf(content: JsonObject): readonly JsonObject[] {
  const { documents } = content
  if (!Array.isArray(documents) || documents.length === 0 || !documents.every(isObject))
    throw fail('SW_INVALID_DEFINITION', 'the content of a pack is {"documents": [{"apiVersion": …, "kind": …}, …]}')
  return documents as unknown as readonly JsonObject[]
}

function placed(namespace: string): { readonly namespace?: string } {
  return namespace === 'default' ? {} : { namespace }
}

function yaml(document: JsonObject): string {
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })
}
