import { fail } from '../lib/error-catalogue.ts'
import { isObject, type JsonObject, valueAt } from '../lib/json.ts'
import type { World } from '../reconcile/world.ts'
import { usedSlots } from '../store/queries/instances.ts'
import { slotsOfSpawned } from '../store/queries/spawned-agents.ts'
import type { Store } from '../store/store.ts'
import { LOCAL_HOST } from './builtin-objects.ts'
import { localHost } from './world-views.ts'

/**
 * The host that takes one more agent: it is schedulable, has the labels, and room beside what runs and what was spawned and
 * has not started yet. SW_NOT_FOUND: no such host. SW_HOST_FULL with the numbers.
 */
export async function hostWithRoom(
  { store, world }: { readonly store: Store; readonly world: World },
  spec: JsonObject,
  wanted: string | null,
): Promise<{ readonly host: string }> {
  const host = localHost(world, LOCAL_HOST)()
  if (wanted !== null && wanted !== host.name) throw fail('SW_NOT_FOUND', `there is no host ${wanted}`)
  const labels = valueAt(spec, '/hostSelector/matchLabels')
  const missing = Object.entries(isObject(labels) ? labels : {}).find(([label, value]) => host.labels[label] !== value)
  if (host.unschedulable) throw fail('SW_HOST_FULL', `host ${host.name} is unschedulable`)
  if (missing !== undefined) throw fail('SW_HOST_FULL', `no host has the label ${missing[0]}=${String(missing[1])}`)
  const slots = slotsOf(spec)
  const used = await usedSlots(store.engine, host.name)
  const reserved = await reservedSlots(store, world, host.name)
  const free = Math.max(0, host.slots - used - reserved)
  if (slots > free)
    throw fail('SW_HOST_FULL', `host ${host.name} has ${free} of ${host.slots} slots free, and ${slots} are needed`, {
      details: { host: host.name, slots_total: host.slots, slots_used: used + reserved, slots_free: free },
    })
  return { host: host.name }
}

/** Slots that spawned agents will take once they have started. */
async function reservedSlots(store: Store, world: World, host: string): Promise<number> {
  const byUid = new Map([...world.ofKind('Agent').values()].map((object) => [object.uid, object]))
  return (await slotsOfSpawned(store.engine))
    .filter((row) => row.host === host)
    .reduce((sum, { uid, used }) => {
      const object = byUid.get(uid)
      return object === undefined ? sum : sum + Math.max(0, slotsOf(world.effective(object)) - used)
    }, 0)
}

function slotsOf(spec: JsonObject): number {
  return Number(valueAt(spec, '/resources/slots') ?? 1)
}
