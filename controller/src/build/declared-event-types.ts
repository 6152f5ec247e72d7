import type { DeclaredEventType, DeclaredEventTypes } from '../events/declared-types.ts'
import type { JsonObject } from '../lib/json.ts'
import { World, worldObjectOf } from '../reconcile/world.ts'
import { objectsOfKind } from '../store/queries/objects.ts'
import { loadOverrides } from '../store/queries/overrides.ts'
import type { Store } from '../store/store.ts'

/**
 * The event types of the world; until it is loaded, also in a process that waits for another one to lead, those of the
 * database: an event is checked whoever takes it, and whenever.
 */
export function declaredEventTypes(store: Store, world: World): DeclaredEventTypes {
  let known = { version: -1, types: new Map<string, DeclaredEventType>() }
  const current = async (): Promise<ReadonlyMap<string, DeclaredEventType>> => {
    if (!world.isLoaded) return typesOf(await storedWorld(store))
    if (known.version !== world.version) known = { version: world.version, types: typesOf(world) }
    return known.types
  }
  return {
    all: async () => [...(await current()).values()].sort((a, b) => (a.event < b.event ? -1 : 1)),
    find: async (event) => (await current()).get(event) ?? null,
  }
}

function typesOf(world: World): Map<string, DeclaredEventType> {
  const types = new Map<string, DeclaredEventType>()
  for (const object of world.ofKind('EventType').values()) {
    if (object.deleting) continue
    const spec = world.effective(object)
    if (spec['suspend'] === true) continue
    const event = String(spec['event'])
    types.set(event, {
      name: object.name,
      event,
      description: typeof spec['description'] === 'string' ? spec['description'] : '',
      dataSchema: spec['dataSchema'] as JsonObject,
    })
  }
  return types
}

async function storedWorld({ reader }: Store): Promise<World> {
  const world = new World()
  for (const row of await objectsOfKind(reader, 'EventType')) world.put(worldObjectOf(row))
  world.setOverrides(await loadOverrides(reader))
  return world
}
