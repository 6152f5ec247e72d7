import { isDeepStrictEqual } from 'node:util'
import type { EventName } from '../events/catalogue.ts'
import { endInterventions } from '../interventions/end.ts'
import { keyOf, type ObjectKey } from '../kinds/resource.ts'
import { uuidv7 } from '../lib/ids.ts'
import { valueAt } from '../lib/json.ts'
import { appendEvents } from '../store/log.ts'
import type { InterventionEnd } from '../store/queries/interventions.ts'
import { type OverrideRow, removeOverride } from '../store/queries/overrides.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import type { World } from './world.ts'

export type OverrideEnd = 'absorbed' | 'superseded' | 'expired' | 'orphaned'

/** What that means for the intervention that set it. */
const WHY: Readonly<Record<OverrideEnd, InterventionEnd>> = {
  absorbed: 'merged',
  superseded: 'superseded',
  expired: 'expired',
  orphaned: 'orphaned',
}

/**
 * Why an override is over; null while it holds. Git said the same (absorbed), Git said something else than when it was set
 * (the newer decision wins), its own time is up, or its object is gone. Nothing else ends it. Pure.
 */
function overrideEnd(row: OverrideRow, world: Pick<World, 'get'>, now: Date): OverrideEnd | null {
  const object = world.get(keyOf(row))
  if (object === undefined) return 'orphaned'
  const declared = valueAt({ spec: object.spec }, row.path) ?? null
  // Absent is what the field's default says: nothing suspends.
  if (isDeepStrictEqual(declared ?? false, row.value)) return 'absorbed'
  if (!isDeepStrictEqual(declared, row.base)) return 'superseded'
  return row.expires_at !== null && row.expires_at <= now ? 'expired' : null
}

/** Removes what is over, with an event each; answers with the objects it concerned. */
export async function endOverrides(store: Store, world: World): Promise<ObjectKey[]> {
  const now = store.clock.now()
  const over = world.allOverrides().flatMap((row) => {
    const end = overrideEnd(row, world, now)
    return end === null ? [] : [{ row, end }]
  })
  if (over.length === 0) return []
  await transact(store, async (tx) => {
    for (const { row } of over) await removeOverride(tx, row.id)
    const ended = await endInterventions(
      tx,
      over.flatMap(({ row: { intervention_id: id }, end }) => (id === null ? [] : [{ id, why: WHY[end] }])),
      { at: now, actor: 'system' },
    )
    await appendEvents(tx, store, [
      ...ended,
      ...over.map(({ row, end }) => ({
        event_id: uuidv7(now.getTime()),
        event_name: `stateward.override.${end}` satisfies EventName,
        occurred_at: now,
        env_id: row.namespace === '' ? 'default' : row.namespace,
        actor: 'system',
        correlation_id: uuidv7(now.getTime()),
        resource: { type: 'Override', id: row.id },
        data: { kind: row.kind, namespace: row.namespace, name: row.name, path: row.path, set_by: row.actor },
      })),
    ])
  })
  return over.map(({ row }) => keyOf(row))
}
