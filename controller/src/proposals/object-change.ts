import { dump, loadAll } from 'js-yaml'
import { API_VERSION } from '../kinds/definition.ts'
import { kindOf } from '../kinds/registry.ts'
import type { ObjectRef } from '../kinds/resource.ts'
import { fail } from '../lib/error-catalogue.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import { editManifest, type FieldValue } from './edit-manifest.ts'
import { patchManifest, removeDocument } from './patch-manifest.ts'
import { type FileChange, REMOVED } from './propose-file.ts'

/** Where an object's document stands in the repository. */
export interface DocumentPlace {
  readonly file: string
  readonly document: number
}

/** Sets one field of an object; everything else of its file stays as it was. */
export function fieldChange(
  ref: ObjectRef,
  place: DocumentPlace,
  field: { readonly keys: readonly string[]; readonly value: FieldValue },
): FileChange {
  const { keys, value } = field
  const what = keys.at(-1)!
  return {
    topic: `set-${what.toLowerCase()}-${ref.kind.toLowerCase()}-${ref.name}`,
    subject: `set ${what} of ${ref.kind} ${nameOf(ref)} to ${String(value)}`,
    file: place.file,
    edit(text) {
      if (text === null) throw fail('SW_CONFLICT', `${place.file} is gone from the protected branch`)
      const edited = editManifest(text, place.document, keys, value)
      return edited === text ? null : edited
    },
  }
}

export interface NewObject {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly spec: JsonObject
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** Declares an object, which is known to be sound, in a file of its own below `folder`. SW_CONFLICT: there is such a file. */
export function newObjectChange(object: NewObject, folder: string): FileChange {
  const { kind, namespace, name, spec, labels, annotations } = object
  const isDefault = kindOf(kind)?.scope === 'Cluster' || namespace === 'default'
  const metadata = {
    ...(isDefault ? { name } : { name, namespace }),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  }
  const file = `${folder}/${isDefault ? '' : `${namespace}.`}${name}.yaml`
  return {
    topic: `add-${topicOf(object)}`,
    subject: `add ${kind} ${nameOf(object)}`,
    file,
    edit(text) {
      if (text !== null) throw fail('SW_CONFLICT', `${file} is there already`)
      return dump({ apiVersion: API_VERSION, kind, metadata, spec }, { lineWidth: 120 })
    },
    keepsOthers: true,
  }
}

/** A JSON merge patch of an object's document; comments of its file are kept. */
export function patchChange(ref: ObjectRef, place: DocumentPlace, patch: JsonObject): FileChange {
  return {
    topic: `update-${topicOf(ref)}`,
    subject: `update ${ref.kind} ${nameOf(ref)}`,
    file: place.file,
    edit: (text) => patchManifest(documentOf(ref, place, text), place.document, patch),
    keepsOthers: true,
  }
}

/** Takes an object's document out of its file, which goes with the last one. */
export function removal(ref: ObjectRef, place: DocumentPlace): FileChange {
  return {
    topic: `delete-${topicOf(ref)}`,
    subject: `delete ${ref.kind} ${nameOf(ref)}`,
    file: place.file,
    edit: (text) => removeDocument(documentOf(ref, place, text), place.document) ?? REMOVED,
    keepsOthers: true,
  }
}

/** The file's text. A document that holds several objects, or is written in an older format, is for people to edit. */
function documentOf({ kind, name }: ObjectRef, { file, document }: DocumentPlace, text: string | null): string {
  const found = text === null ? null : loadAll(text)[document]
  const metadata = isObject(found) ? found['metadata'] : null
  if (text !== null && isObject(found) && found['kind'] === kind && isObject(metadata) && metadata['name'] === name)
    return text
  throw fail('SW_CONFLICT', `document ${document} of ${file} is not ${kind} ${name} alone`, {
    remedy: 'edit the file by hand and push it',
  })
}

function topicOf({ kind, namespace, name }: ObjectRef): string {
  return `${kind.toLowerCase()}-${namespace === '' || namespace === 'default' ? '' : `${namespace}.`}${name}`
}

function nameOf({ namespace, name }: ObjectRef): string {
  return namespace === '' ? name : `${namespace}/${name}`
}
