import { kindOf } from '../kinds/registry.ts'
import type { ObjectKey, Resource } from '../kinds/resource.ts'
import { type DesiredState, targetKey } from './desired-state.ts'

/** What an object cannot do without. */
export type Edges = (key: ObjectKey) => readonly ObjectKey[]

/** What each object needs, looked up once. */
export function edgeReader(desired: DesiredState): Edges {
  const known = new Map<ObjectKey, ObjectKey[]>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found
    const edges = edgesOf(key, desired)
    known.set(key, edges)
    return edges
  }
}

function edgesOf(key: ObjectKey, desired: DesiredState): ObjectKey[] {
  const resource = desired.get(key)?.resource
  return resource === undefined ? [] : neededBy(resource)
}

export function neededBy({ kind, namespace, spec }: Pick<Resource, 'kind' | 'namespace' | 'spec'>): ObjectKey[] {
  return (kindOf(kind)?.references(spec) ?? [])
    .filter((reference) => reference.strength === 'required')
    .map((reference) => targetKey(reference.kind, namespace, reference.name))
}
