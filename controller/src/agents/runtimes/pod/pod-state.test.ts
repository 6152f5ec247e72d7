import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
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
    ...{ type: 'ended', exitCode: 137, message: 'OOMKilled' },
    ...{ at: null, isUnstarted: false, hasResult: false },
  })
  expect(stateOf({ phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory.' })).toMatchObject({
    type: 'ended',
    exitCode: null,
    message: 'Evicted: The node was low on memory.',
  })
  expect(stateOf({ phase: 'Succeeded' })).toMatchObject({ type: 'ended', exitCode: 0 })
})

describe('the pod of a task', () => {
  const init = (state: object, name = 'agent') => ({ name, state })
  const pod = (phase: string, command: object, result: object = { waiting: { reason: 'PodInitializing' } }) =>
    stateOf({ phase, initContainerStatuses: [init(command)], containerStatuses: [init(result, 'result')] })
  const finishedAt = '2026-01-01T00:00:09Z'
  const done = { terminated: { exitCode: 0, finishedAt } }

  it('runs while its command does, although it is pending to the cluster', () => {
    expect(pod('Pending', { running: { startedAt: finishedAt } })).toEqual({
      type: 'running',
      since: Date.parse(finishedAt),
    })
  })

  it('has ended when its result is printed, or cannot be any more', () => {
    expect(pod('Running', done, { running: {} })).toMatchObject({ type: 'running' })
    expect(pod('Succeeded', done, { terminated: { exitCode: 0 } })).toMatchObject({
      ...{ type: 'ended', exitCode: 0, at: Date.parse(finishedAt), hasResult: true },
    })
    expect(pod('Failed', done, { terminated: { exitCode: 1 } })).toMatchObject({ exitCode: 0, hasResult: false })
    expect(pod('Failed', done)).toMatchObject({ type: 'ended', exitCode: 0, hasResult: false })
    expect(pod('Pending', { terminated: { exitCode: 3 } })).toMatchObject({ type: 'ended', exitCode: 3 })
  })

  it('never ran when what had to run before it failed', () => {
    const files = init({ terminated: { exitCode: 1, reason: 'Error' } }, 'files')
    const waiting = init({ waiting: { reason: 'PodInitializing' } })
    expect(stateOf({ phase: 'Failed', initContainerStatuses: [files, waiting] })).toMatchObject({
      ...{ type: 'ended', exitCode: null, isUnstarted: true },
      message: 'its container files ended with exit code 1: Error',
    })
    const pull = init({ waiting: { reason: 'ErrImagePull', message: 'no such image' } }, 'files')
    expect(stateOf({ phase: 'Pending', initContainerStatuses: [pull, waiting] })).toMatchObject({
      problem: { kind: 'wrong', message: 'ErrImagePull: no such image' },
    })
  })
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
