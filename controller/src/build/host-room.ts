import { type HostFacts, hostFacts } from '../hosts/host-facts.ts'
import { fail } from '../lib/error-catalogue.ts'
import { isObject, type JsonObject, valueAt } from '../lib/json.ts'
import type { World } from '../reconcile/world.ts'
import { listHosts } from '../store/queries/hosts.ts'
import { usedSlots } from '../store/queries/instances.ts'
import { placementsOf, reservedSlots } from '../store/queries/placements.ts'
import { slotsOfSpawned } from '../store/queries/spawned-agents.ts'
import type { Store } from '../store/store.ts'
import { hostSpecOf } from './hosts.ts'

interface Deps {
  readonly store: Store
  readonly world: World
}

interface Room {
  readonly host: HostFacts
  readonly used: number
  readonly free: number
}

/**
 * The host that takes one more agent: it is schedulable, has the labels, and room beside what runs, what was placed there and
 * what was spawned and has no place yet; of several, the one with the most room. SW_NOT_FOUND: no such host. SW_HOST_FULL with
 * the numbers.
 */
export async function hostWithRoom(
  deps: Deps,
  spec: JsonObject,
  wanted: string | null,
): Promise<{ readonly host: string }> {
  const specOf = hostSpecOf(deps.world)
  const all = (await listHosts(deps.store.engine)).map((row) => hostFacts(row.name, row, specOf(row.name)))
  const hosts = all.filter(({ name }) => wanted === null || name === wanted)
  if (hosts.length === 0) throw fail('SW_NOT_FOUND', `there is no host ${wanted}`)
  const labels = valueAt(spec, '/hostSelector/matchLabels')
  for (const [label, value] of Object.entries(isObject(labels) ? labels : {}))
    if (!hosts.some((host) => host.labels[label] === value))
      throw fail('SW_HOST_FULL', `no host has the label ${label}=${String(value)}`)
  const matching = hosts.filter((host) =>
    Object.entries(isObject(labels) ? labels : {}).every(([label, value]) => host.labels[label] === value),
  )
  const willing = matching.filter(({ schedulable }) => schedulable)
  if (willing.length === 0)
    throw fail('SW_HOST_FULL', matching.map(({ name, unfit }) => `host ${name} ${unfit}`).join('; '))
  const slots = slotsOf(spec)
  const rooms = await Promise.all(willing.map((host) => roomOf(deps, host)))
  const { host, used, free } = rooms.sort((a, b) => b.free - a.free)[0]!
  if (slots > free)
    throw fail('SW_HOST_FULL', `host ${host.name} has ${free} of ${host.slots} slots free, and ${slots} are needed`, {
      details: { host: host.name, slots_total: host.slots, slots_used: used, slots_free: free },
    })
  return { host: host.name }
}

async function roomOf({ store, world }: Deps, host: HostFacts): Promise<Room> {
  // In the order in which an agent goes through them: one that moves on meanwhile is counted twice, never not at all.
  const unplaced = await unplacedSlots(store, world, host.name)
  const reserved = await reservedSlots(store.engine, host.name)
  const used = unplaced + reserved + (await usedSlots(store.engine, host.name))
  return { host, used, free: Math.max(0, host.slots - used) }
}

/** Slots that spawned agents will take once they have a place. */
async function unplacedSlots(store: Store, world: World, host: string): Promise<number> {
  const byUid = new Map([...world.ofKind('Agent').values()].map((object) => [object.uid, object]))
  let slots = 0
  for (const { uid, used, host: on } of await slotsOfSpawned(store.engine)) {
    const object = byUid.get(uid)
    if (on !== host || used > 0 || object === undefined) continue
    if ((await placementsOf(store.engine, uid)).some((row) => row.slots > 0)) continue
    slots += slotsOf(world.effective(object))
  }
  return slots
}

function slotsOf(spec: JsonObject): number {
  return Number(valueAt(spec, '/resources/slots') ?? 1)
}
