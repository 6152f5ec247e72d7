import type { Resource } from '../kinds/resource.ts'
import { effectiveSpec } from '../plan/effective-spec.ts'
import { resourceOf, type World } from '../reconcile/world.ts'

/** What instances of an object carry: the digest of its spec with what it inherits from what is accepted now. */
export function effectiveDigestOf(world: World, resource: Resource): string {
  return effectiveSpec(resource, {
    get: (key) => {
      const other = world.get(key)
      return other === undefined || other.deleting ? null : resourceOf(other)
    },
    fileOid: () => null,
  }).digest
}
