import { expect, it } from 'vitest'
import type { JsonObject } from '../lib/json.ts'
import { World, type WorldObject } from '../reconcile/world.ts'
import { BUILTIN_TOOLS } from '../tools/builtins.ts'
import { rateLimits } from './builtin-tools.ts'

const COMMAND = { command: ['true'] }

function declare(world: World, name: string, spec: JsonObject, deleting = false): void {
  const status = { conditions: [], observedGeneration: 1 }
  world.put({ kind: 'Tool', namespace: 'default', name, spec, status, deleting } as unknown as WorldObject)
}

it('limits every built-in tool that says how often it may be called, and no other', () => {
  const limitOf = rateLimits(new World())
  expect(limitOf('default', 'email.send')).toEqual({ calls: 60, windowMs: 60_000 })
  expect(limitOf('elsewhere', 'pkg.install')).toEqual({ calls: 20, windowMs: 60_000 })
  expect(limitOf('default', 'json.transform')).toBeNull()
  const limited = BUILTIN_TOOLS.filter(({ rateLimit }) => rateLimit !== undefined)
  expect(BUILTIN_TOOLS.filter(({ name }) => limitOf('default', name) !== null)).toEqual(limited)
})

it('goes by the Tool that takes the place of a built-in one, in its namespace, until it is deleted', () => {
  const world = new World()
  const limitOf = rateLimits(world)
  const builtin = limitOf('default', 'email.send')
  declare(world, 'email.send', { ...COMMAND, rateLimit: { calls: 3, per: '1h' } })
  expect(limitOf('default', 'email.send')).toEqual({ calls: 3, windowMs: 3_600_000 })
  expect(limitOf('elsewhere', 'email.send')).toEqual(builtin)
  declare(world, 'email.send', COMMAND)
  expect(limitOf('default', 'email.send')).toBeNull()
  declare(world, 'email.send', COMMAND, true)
  expect(limitOf('default', 'email.send')).toEqual(builtin)
})
