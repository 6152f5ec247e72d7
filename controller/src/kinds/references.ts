import { isObject } from '../lib/json.ts'
import type { Reference } from './definition.ts'

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
