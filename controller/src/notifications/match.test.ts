import { describe, expect, test } from 'vitest'
import { matches, type NotifiedEvent, sameNews, severityOf } from './match.ts'

const event = (event_name: string, more: Partial<NotifiedEvent> = {}): NotifiedEvent => ({
  seq: 1,
  event_id: '01983a4e-6b90-7c55-a1f2-0e8d6b4c3a32',
  event_name,
  occurred_at: '2026-03-28T09:15:00.000Z',
  resource: null,
  env_id: 'default',
  actor: 'user:ada',
  correlation_id: 'c',
  data: {},
  ...more,
})
const route = { envId: 'default', eventNames: ['*.failed'], severity: 'info' } as const

describe('which events a route is about', () => {
  test.each(['stateward.run.failed', 'xyn.infra.dns.failed', 'backup.failed'])('%s, under any prefix', (name) => {
    expect(matches(route, event(name))).toBe(true)
  })

  test('not those of another environment, another name, less severity, or of notifications', () => {
    expect(matches(route, event('run.failed', { env_id: 'prod' }))).toBe(false)
    expect(matches(route, event('run.completed'))).toBe(false)
    expect(matches({ ...route, severity: 'critical' }, event('run.failed'))).toBe(false)
    expect(matches({ ...route, eventNames: ['*'] }, event('stateward.notification.failed'))).toBe(false)
  })

  test('severity is the alert’s own, else it follows from the name', () => {
    expect(severityOf({ event_name: 'stateward.alert.raised', data: { severity: 'critical' } })).toBe('critical')
    expect(severityOf({ event_name: 'x.validation_failed', data: {} })).toBe('warning')
    expect(severityOf({ event_name: 'x.created', data: { severity: 'loud' } })).toBe('info')
  })
})

test('the same news is the same name about the same thing; of runs, about their blueprint', () => {
  const failed = (data: object, id: string) =>
    sameNews(event('stateward.run.failed', { data: data as never, resource: { type: 'Run', id } }))
  expect(failed({ blueprint: 'fix' }, '1')).toBe(failed({ blueprint: 'fix' }, '2'))
  expect(failed({ blueprint: 'fix' }, '1')).not.toBe(failed({ blueprint: 'other' }, '1'))
  expect(sameNews(event('a.b', { resource: { type: 'Agent', id: 'default/sre' } }))).toBe('a.b Agent/default/sre')
})
