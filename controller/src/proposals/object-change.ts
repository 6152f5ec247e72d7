import { dump } from 'js-yaml'
import { API_VERSION } from '../kinds/definition.ts'
import { kindOf } from '../kinds/registry.ts'
import type { ObjectRef } from '../kinds/resource.ts'
import { validateSpec } from '../kinds/validate.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { JsonObject } from '../lib/json.ts'
import { editManifest, type FieldValue } from './edit-manifest.ts'
import type { FileChange } from './propose-file.ts'

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
}

/** Declares an object in a file of its own below `folder`. SW_VALIDATION_FAILED: its spec; SW_CONFLICT: there is such a file. */
export function newObjectChange(object: NewObject, folder: string): FileChange {
  const { kind, namespace, name, spec } = object
  const wrong = validateSpec(kind, spec).filter(({ severity }) => severity !== 'warning')
  if (wrong.length > 0) {
    const violations = wrong.map(({ code, pointer, message, hint }) => ({
      path: `body${pointer}`,
      message,
      hint,
      code,
    }))
    throw fail('SW_VALIDATION_FAILED', `the ${kind} is not sound: ${violations[0]!.path}: ${violations[0]!.message}`, {
      details: { violations },
    })
  }
  const metadata = kindOf(kind)?.scope === 'Cluster' || namespace === 'default' ? { name } : { name, namespace }
  const file = `${folder}/${name}.yaml`
  return {
    topic: `add-${kind.toLowerCase()}-${name}`,
    subject: `add ${kind} ${nameOf(object)}`,
    file,
    edit(text) {
      if (text !== null) throw fail('SW_CONFLICT', `${file} is there already`)
      return dump({ apiVersion: API_VERSION, kind, metadata, spec }, { lineWidth: 120 })
    },
  }
}

function nameOf({ namespace, name }: ObjectRef): string {
  return namespace === '' ? name : `${namespace}/${name}`
}
