import { expect, it } from 'vitest'
import type { JsonObject } from '../../../lib/json.ts'
import type { LoggedEvent } from '../../../store/ports.ts'
import { messageOf } from './event-message.ts'

const COMMIT = '057950fe99d2910baa5b2381fb4901978f399ad8'
const said = (event_name: string, data: JsonObject) =>
  messageOf({ event_name, data, actor: 'user:ada', occurred_at: '2030-01-01T00:00:00.000Z' } as LoggedEvent)

it('says of a declared object which commit it comes from', () => {
  expect(said('stateward.object.created', { name: 'sre', revision: COMMIT })).toBe('declared at 057950f')
  expect(said('stateward.object.suspended', { reason: 'it loops' })).toBe('suspended by user:ada: it loops')
})

it('names the process of an agent, and that of a pod without its number', () => {
  expect(said('stateward.agent.instance.started', { pid: 7, host: 'local' })).toBe('process 7 on local was started')
  expect(said('stateward.agent.instance.registered', { pid: null, host: 'pods' })).toBe(
    'an instance on pods said that it is there',
  )
})

it('puts the step before what it says of a run', () => {
  expect(said('stateward.run.step.skipped', { step: 'fix', reason: 'not needed' })).toBe('fix: skipped: not needed')
})

it('tells what there are no words for by its values, and leaves out what stands beside it', () => {
  const data = { name: 'sre', namespace: 'default', revision: COMMIT, count: 2, list: [1], nothing: null }
  expect(said('stateward.object.other', data)).toBe('revision=057950f count=2')
  expect(said('checkmk.alert', { name: 'nginx', state: 'CRIT' })).toBe('name=nginx state=CRIT')
  expect(said('checkmk.alert', { message: 'x'.repeat(1_200) })).toHaveLength(1_000)
})
