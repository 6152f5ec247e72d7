import type { LocalHost } from '../agents/ports.ts'
import type { WorkSurroundings } from '../api/ports/work.ts'
import { V0_ID_ANNOTATION } from '../blueprints/normalise-v0.ts'
import type { EnvValue } from '../expressions/values.ts'
import { isObject } from '../lib/json.ts'
import type { PolicyRequest } from '../policy/evaluate/request.ts'
import type { World } from '../reconcile/world.ts'
import type { AcceptedBlueprint, Blueprints, StandingOf } from '../runs/ports.ts'
import type { AcceptedOperation } from '../runs/start/start-operation.ts'

/** What parts that cannot see the world ask of it. */

const DEFAULT_SLOTS = 10

/** Environment `N` configures namespace `N`; a namespace without one runs on defaults. */
export function environmentOf(world: World): (namespace: string) => EnvValue {
  return (namespace) => {
    const object = world.get(`Environment/${namespace}`)
    const spec = object === undefined || object.deleting ? {} : world.effective(object)
    return {
      id: typeof spec['envId'] === 'string' ? spec['envId'] : namespace === '' ? 'default' : namespace,
      stage: typeof spec['stage'] === 'string' ? spec['stage'] : 'dev',
      autonomy: typeof spec['autonomy'] === 'string' ? spec['autonomy'] : 'supervised',
      class: typeof spec['class'] === 'string' ? spec['class'] : 'product',
    }
  }
}

/** The same as policies see it. */
export function policyEnvironmentOf(world: World): (namespace: string) => PolicyRequest['env'] {
  const named = environmentOf(world)
  return (namespace) => {
    const object = world.get(`Environment/${namespace}`)
    const spec = object === undefined || object.deleting ? {} : world.effective(object)
    const { id, stage } = named(namespace)
    return {
      id,
      stage: stage as PolicyRequest['env']['stage'],
      class: spec['class'] === 'control' ? 'control' : 'product',
    }
  }
}

/** Whether runs of a namespace may bring their own plan. */
export function allowsInlinePlans(world: World): (namespace: string) => boolean {
  return (namespace) => {
    const object = world.get(`Environment/${namespace}`)
    return object === undefined || object.deleting || world.effective(object)['inlinePlans'] !== 'deny'
  }
}

/** What the Environment of a namespace allows at once; null = any number. Worked out once for each state of the world. */
export function quotaOf(
  world: World,
): (namespace: string, of: 'runs' | 'spawnedAgents' | 'processes') => number | null {
  let known: { readonly version: number; readonly quotas: Map<string, number | null> } | null = null
  return (namespace, of) => {
    if (known?.version !== world.version) known = { version: world.version, quotas: new Map() }
    const key = `${namespace}/${of}`
    const found = known.quotas.get(key)
    if (found !== undefined) return found
    const object = world.get(`Environment/${namespace}`)
    const quota = object === undefined || object.deleting ? null : world.effective(object)['quota']
    const most = isObject(quota) && typeof quota[of] === 'number' ? quota[of] : null
    known.quotas.set(key, most)
    return most
  }
}

/** The machine this controller runs on, as its Host object says. */
export function localHost(world: World, name: string): () => LocalHost {
  return () => {
    const object = world.get(`Host/${name}`)
    const spec = object === undefined || object.deleting ? {} : world.effective(object)
    const capacity = isObject(spec['capacity']) ? spec['capacity'] : {}
    return {
      name,
      slots: typeof capacity['agentSlots'] === 'number' ? capacity['agentSlots'] : DEFAULT_SLOTS,
    }
  }
}

/** Where a machine of the database lets bulk work find it: what was configured, as long as its Host says that it is one. */
export function databaseUrlOf(world: World, name: string, url: string | null): () => string | null {
  return () => {
    const object = world.get(`Host/${name}`)
    if (url === null || object === undefined || object.deleting) return null
    const { labels } = world.effective(object)
    return isObject(labels) && labels['database'] === 'true' ? url : null
  }
}

/** Whether there is such an agent that may take tasks, now or as soon as it is up. */
export function canServe(world: World): (namespace: string, agent: string) => boolean {
  return (namespace, name) => {
    const object = world.get(`Agent/${namespace}/${name}`)
    // A step may name a provider of models where there is no such agent.
    if (object === undefined) return world.get(`ModelProvider/${name}`)?.deleting === false
    return !object.deleting && Number(world.effective(object)['replicas']) > 0
  }
}

/** Operations as they were accepted last. */
export function operationsOf(world: World): (namespace: string, name: string) => AcceptedOperation | null {
  return (namespace, name) => {
    const object = world.get(`Operation/${namespace}/${name}`)
    if (object === undefined || object.deleting) return null
    const spec = world.effective(object)
    return { uid: object.uid, spec, revision: object.lastAppliedRevision, suspended: spec['suspend'] === true }
  }
}

/** What the work graph asks of what is declared. */
export function workSurroundings(world: World): WorkSurroundings {
  const is = (kind: string) => (namespace: string, name: string) =>
    world.get(`${kind}/${namespace}/${name}`)?.deleting === false
  return {
    agentsWith: (namespace, capabilities) =>
      [...world.ofKind('Agent').values()].flatMap((object) => {
        if (object.deleting || object.namespace !== namespace) return []
        const { capabilities: has, suspend } = world.effective(object)
        const able = capabilities.every((each) => Array.isArray(has) && has.includes(each))
        return able && suspend !== true ? [object.name] : []
      }),
    hasAgent: is('Agent'),
    hasProject: is('Project'),
  }
}

/** Whether such an agent is declared, and not going away. */
export function hasAgent(world: World): (namespace: string, name: string) => boolean {
  return (namespace, name) => world.get(`Agent/${namespace}/${name}`)?.deleting === false
}

/** Blueprints by name, or by the id a flat blueprint was written with. */
export function blueprintsOf(world: World, accepted: ReadonlyMap<string, AcceptedBlueprint>): Blueprints {
  const isV0Id = (blueprint: AcceptedBlueprint, id: string) =>
    world.get(`Blueprint/${blueprint.namespace}/${blueprint.name}`)?.annotations[V0_ID_ANNOTATION] === id
  return {
    all: () => [...accepted.values()],
    find: (namespace, name) => {
      const inNamespace = [...accepted.values()].filter((blueprint) => blueprint.namespace === namespace)
      return (
        inNamespace.find((blueprint) => blueprint.name === name) ??
        inNamespace.find((blueprint) => isV0Id(blueprint, name)) ??
        null
      )
    },
  }
}

/** Who may decide what, until principals and roles can be declared: whoever holds the admin credential has every role. */
export const standingOf: StandingOf = (actor) => ({
  roles: actor.startsWith('user:') ? ['viewer', 'operator', 'admin'] : [],
  teams: [],
})
