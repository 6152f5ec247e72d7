import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isLater } from './pod-log.ts'
import { podState } from './pod-state.ts'

const stateOf = (status: unknown) => podState({ metadata: { name: 'p', uid: 'u' }, status })
const container = (state: object, name = 'agent') => ({ containerStatuses: [{ name, state }] })

it('a pod runs when its container does', () => {
  const startedAt = '2026-01-01T00:00:00Z'
  expect(stateOf({ phase: 'Running', ...container({ running: { startedAt } }) })).toEqual({
    type: 'running',
    since: Date.parse(startedAt),
  })
  expect(stateOf({ phase: 'Running', ...container({ running: { startedAt } }, 'sidecar') })).toMatchObject({
    type: 'waiting',
  })
})

it('a pod has ended with the exit code of its container, whatever its phase says yet', () => {
  const terminated = { exitCode: 137, reason: 'OOMKilled' }
  expect(stateOf({ phase: 'Running', ...container({ terminated }) })).toEqual({
    type: 'ended',
    exitCode: 137,
    message: 'OOMKilled',
  })
  expect(stateOf({ phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory.' })).toEqual({
    type: 'ended',
    exitCode: null,
    message: 'Evicted: The node was low on memory.',
  })
  expect(stateOf({ phase: 'Succeeded' })).toMatchObject({ type: 'ended', exitCode: 0 })
})

it('a pod that waits says why, when time alone will not help', () => {
  expect(stateOf({ phase: 'Pending', ...container({ waiting: { reason: 'ContainerCreating' } }) })).toEqual({
    type: 'waiting',
    problem: null,
  })
  const pull = { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "x"' } }
  expect(stateOf({ phase: 'Pending', ...container(pull) })).toEqual({
    type: 'waiting',
    problem: { kind: 'wrong', message: 'ImagePullBackOff: Back-off pulling image "x"' },
  })
  const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no room' }]
  expect(stateOf({ phase: 'Pending', conditions })).toEqual({
    type: 'waiting',
    problem: { kind: 'room', message: 'Unschedulable: no room' },
  })
})

it('whatever a status is, it means one of the three', () => {
  fc.assert(
    fc.property(fc.anything(), (status) => {
      expect(['waiting', 'running', 'ended']).toContain(stateOf(status).type)
    }),
  )
})

it('stamps of a log are compared whatever the length of their fraction', () => {
  expect(isLater('2026-01-01T00:00:01Z', '2026-01-01T00:00:00.9Z')).toBe(true)
  expect(isLater('2026-01-01T00:00:00.12Z', '2026-01-01T00:00:00.1Z')).toBe(true)
  expect(isLater('2026-01-01T00:00:00.100Z', '2026-01-01T00:00:00.1Z')).toBe(false)
})
