import type { Addressees } from '../bus/ports.ts'
import { isObject } from '../lib/json.ts'
import type { World, WorldObject } from '../reconcile/world.ts'

/** Whom messages reach: the agents that are declared, by what they say of themselves. */
export function addresseesOf(world: World): Addressees {
  const indexOf = indexed(world)
  const declared = (namespace: string, name: string): WorldObject | null => {
    const object = world.get(`Agent/${namespace}/${name}`)
    return object === undefined || object.deleting ? null : object
  }
  return {
    find(namespace, reference) {
      if (declared(namespace, reference) !== null) return { namespace, name: reference }
      const name = indexOf().get(key(namespace, 'id', reference))?.[0]
      return name === undefined ? null : { namespace, name }
    },
    holding: (namespace, role) => indexOf().get(key(namespace, 'roles', role)) ?? [],
    following: (namespace, topic) => indexOf().get(key(namespace, 'topics', topic)) ?? [],
    rolesOf({ namespace, name }) {
      const object = declared(namespace, name)
      return object === null ? [] : words(world, object, 'roles')
    },
  }
}

type Index = ReadonlyMap<string, readonly string[]>

const key = (namespace: string, what: string, word: string): string => `${namespace} ${what} ${word}`

/** Names of agents by what they hold and follow and by their other ids, worked out again when a spec changed. */
function indexed(world: World): () => Index {
  let index: Index = new Map()
  let version = -1
  return () => {
    if (version === world.version) return index
    const made = new Map<string, string[]>()
    const add = (at: string, name: string): void => {
      const names = made.get(at)
      if (names === undefined) made.set(at, [name])
      else names.push(name)
    }
    const agents = [...world.ofKind('Agent').values()].filter(({ deleting }) => !deleting)
    for (const object of agents.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const { namespace, name, uid, spec } = object
      add(key(namespace, 'id', uid), name)
      if (typeof spec['agentId'] === 'string') add(key(namespace, 'id', spec['agentId']), name)
      for (const role of words(world, object, 'roles')) add(key(namespace, 'roles', role), name)
      for (const topic of words(world, object, 'topics')) add(key(namespace, 'topics', topic), name)
    }
    index = made
    version = world.version
    return index
  }
}

function words(world: World, object: WorldObject, list: 'roles' | 'topics'): readonly string[] {
  const messages = world.effective(object)['messages']
  const found = isObject(messages) ? messages[list] : undefined
  return Array.isArray(found) ? (found as string[]) : []
}
