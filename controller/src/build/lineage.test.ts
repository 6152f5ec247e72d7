import { describe, expect, it } from 'vitest'
import type { ObjectStatus } from '../kinds/resource.ts'
import type { JsonObject } from '../lib/json.ts'
import { World, type WorldObject } from '../reconcile/world.ts'
import { lineageIn } from './lineage.ts'

function worldOf(objects: Readonly<Record<string, JsonObject>>): World {
  const world = new World()
  for (const [id, spec] of Object.entries(objects)) {
    const [kind, name] = id.split('/') as [string, string]
    const status: ObjectStatus = { conditions: [], observedGeneration: 1 } as unknown as ObjectStatus
    world.put({ kind, namespace: 'default', name, spec, status, deleting: false } as unknown as WorldObject)
  }
  return world
}

describe('the lineage of an agent, of what is accepted', () => {
  it('is the agent alone when nobody has heard of it', () => {
    expect(lineageIn(worldOf({}), 'default', 'sre')).toEqual({ project: null, agents: ['sre'] })
  })

  it('goes up by what each says itself, then by its template; the nearest project counts', () => {
    const world = worldOf({
      'Agent/child': { parentRef: { name: 'parent' } },
      'Agent/parent': { templateRef: { name: 'worker' }, projectRef: { name: 'own' } },
      'Agent/top': { projectRef: { name: 'top' } },
      'AgentTemplate/worker': { parentRef: { name: 'top' }, projectRef: { name: 'of-template' } },
    })
    expect(lineageIn(world, 'default', 'child')).toEqual({ project: 'own', agents: ['child', 'parent', 'top'] })
  })

  it('ends in a circle of parents', () => {
    const world = worldOf({ 'Agent/a': { parentRef: { name: 'b' } }, 'Agent/b': { parentRef: { name: 'a' } } })
    expect(lineageIn(world, 'default', 'a')).toEqual({ project: null, agents: ['a', 'b'] })
  })
})
