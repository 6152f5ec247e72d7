import { endInterventions } from '../../interventions/end.ts'
import { keyOf } from '../../kinds/resource.ts'
import { type Json, valueAt } from '../../lib/json.ts'
import { type OverrideRow, removeOverride } from '../../store/queries/overrides.ts'
import type { Store } from '../../store/store.ts'
import type { World, WorldObject } from '../world.ts'
import type { DriftSource } from './ports.ts'

/**
 * What somebody set at once and no commit says yet. Enforcing takes the override back, and ends the intervention that set
 * it; adopting proposes its value in the file of the object.
 */
export function overrideDrift(store: Store, world: World): DriftSource {
  const rowAt = (object: WorldObject, path: string) => world.overrides(keyOf(object)).find((row) => row.path === path)
  return {
    name: 'override',
    find: ({ key, object }) =>
      world.overrides(key).map((row) => ({
        field: row.path,
        live: row.value,
        declared: (valueAt({ spec: object.spec }, row.path) ?? null) as Json | null,
        detail: detailOf(row, object),
        by: row.actor,
      })),
    async enforce(tx, object, { field }, { actor }) {
      const row = rowAt(object, field)
      if (row === undefined) return []
      await removeOverride(tx, row.id)
      const { intervention_id: id } = row
      return id === null ? [] : await endInterventions(tx, [{ id, why: 'enforced' }], { at: store.clock.now(), actor })
    },
    adoption(object, { field, live, declared }) {
      const name = field.split('/').at(-1)!
      const { value } = rowAt(object, field) ?? { value: live }
      // `suspend: false` is what a file says by saying nothing.
      return {
        edits: [{ field: name, value: value === false && declared === true ? undefined : (value ?? undefined) }],
      }
    },
  }
}

function detailOf({ path, value, actor, reason }: OverrideRow, object: WorldObject): string {
  const declared = valueAt({ spec: object.spec }, path)
  const git = declared === undefined ? 'Git says nothing' : `Git says ${JSON.stringify(declared)}`
  const why = reason === null ? '' : `: ${reason}`
  return `${path.slice(1).replaceAll('/', '.')} is ${JSON.stringify(value)}, set by ${actor}${why}; ${git}`
}
