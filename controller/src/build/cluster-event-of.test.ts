import { describe, expect, test } from 'vitest'
import type { LoggedEvent } from '../store/ports.ts'
import { clusterEventOf } from './cluster-event-of.ts'

const UID = '0190a0a0-0000-7000-8000-000000000001'
const told = () =>
  clusterEventOf((key) =>
    key === 'Agent/default/a'
      ? { metadata: { name: 'a', namespace: 'default', uid: UID, resourceVersion: '1' } }
      : undefined,
  )
const event = (name: string, data: object, id = UID): LoggedEvent =>
  ({
    ...{
      seq: 1,
      event_id: UID,
      event_name: name,
      occurred_at: '',
      env_id: 'default',
      actor: 'system',
      correlation_id: '',
    },
    resource: { type: 'Agent', id },
    data: { namespace: 'default', name: 'a', ...data },
  }) as unknown as LoggedEvent
const status = (ready: string, reason: string) =>
  event('stateward.object.status_changed', { ready, reason, message: 'm' })

describe('an event of the log', () => {
  test('is told of the resource it is about', () => {
    expect(told()(event('stateward.object.created', { revision: 'a'.repeat(40) }))).toEqual({
      regarding: { apiVersion: 'stateward.dev/v1alpha1', kind: 'Agent', namespace: 'default', name: 'a', uid: UID },
      type: 'Normal',
      reason: 'Accepted',
      note: 'accepted at aaaaaaa',
    })
  })

  test('is not told of one that is not there, or has another identity', () => {
    expect(told()(event('stateward.object.created', { name: 'b' }))).toBeNull()
    expect(told()(event('stateward.object.created', {}, 'another'))).toBeNull()
  })

  test('about a status is told when Ready or its reason changed', () => {
    const tell = told()
    expect(tell(status('False', 'Progressing'))).toBeNull()
    expect(tell(status('True', 'Succeeded'))).toMatchObject({ type: 'Normal', reason: 'Ready' })
    expect(tell(status('True', 'Succeeded'))).toBeNull()
    expect(tell(status('False', 'CrashLoop'))).toMatchObject({ type: 'Warning', reason: 'CrashLoop' })
    expect(tell(status('False', 'ValidationFailed'))).toMatchObject({ type: 'Warning', reason: 'ValidationFailed' })
    expect(tell(status('True', 'Succeeded'))).toMatchObject({ type: 'Normal', reason: 'Ready' })
  })

  test('about a process that ended by itself warns', () => {
    const ended = (reason: string, exit_code: number | null) =>
      told()(event('stateward.agent.instance.ended', { agent: 'a', ordinal: 0, reason, exit_code }))
    expect(ended('exited', 1)).toMatchObject({ type: 'Warning', reason: 'Ended' })
    expect(ended('stopped', null)).toMatchObject({ type: 'Normal' })
  })
})
