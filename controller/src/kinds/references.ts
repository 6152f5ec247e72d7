import { isObject } from '../lib/json.ts'

/** One object naming another. The namespace is the namer's own unless the target kind is cluster-scoped. */
export interface Reference {
  readonly kind: string
  readonly name: string
  /** Pointer of the field in the document, e.g. `/spec/templateRef/name`. */
  readonly pointer: string
  /** A missing target is an error (`required`), or shows as a condition only (`optional`). */
  readonly strength: 'required' | 'optional'
  /** Kinds tried when `kind` has no such object, in order. */
  readonly alternatives?: readonly string[]
}

/** Reading references out of a spec that passed its schema. */

type Spec = Readonly<Record<string, unknown>>

/** A `{name}` field. */
export function localReference(
  spec: Spec,
  field: string,
  kind: string,
  strength: Reference['strength'] = 'required',
): Reference[] {
  const ref = spec[field]
  if (!isObject(ref) || typeof ref['name'] !== 'string') return []
  return [{ kind, name: ref['name'], pointer: `/spec/${field}/name`, strength }]
}

/** The common `dependsOn`. */
export function dependencies(spec: Spec): Reference[] {
  const dependsOn = spec['dependsOn']
  if (!Array.isArray(dependsOn)) return []
  return dependsOn.flatMap((item, i): Reference[] =>
    isObject(item) && typeof item['kind'] === 'string' && typeof item['name'] === 'string'
      ? [{ kind: item['kind'], name: item['name'], pointer: `/spec/dependsOn/${i}`, strength: 'required' }]
      : [],
  )
}
