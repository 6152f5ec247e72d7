import { describe, expect, it } from 'vitest'
import { EVENT_TYPES } from '../events/catalogue.ts'
import type { JsonObject } from '../lib/json.ts'
import { judge, RULED_EVENTS, RULES } from './rules.ts'

const judged = (name: string, data: JsonObject, resource = { type: 'Agent', id: 'u1' }) =>
  judge({ name, env: 'default', actor: 'user:ada', resource, data }).map(({ rule, verdict }) => ({ rule, ...verdict }))
const issued = (more: JsonObject = {}) =>
  judged('stateward.intervention.issued', {
    intervention_id: 'i1',
    namespace: 'default',
    agent: 'sre',
    action: 'pause',
    reason: 'too loud',
    in_force: true,
    expires_at: null,
    ...more,
  })

describe('the rules of alerts', () => {
  it('listen to events of the catalogue only, and each has a name of its own', () => {
    expect(RULED_EVENTS.filter((name) => !(name in EVENT_TYPES))).toEqual([])
    expect(new Set(RULES.map(({ name }) => name)).size).toBe(RULES.length)
  })

  it('raise one for an intervention without an end until it is over', () => {
    expect(issued()).toMatchObject([
      {
        type: 'raise',
        key: 'intervention/i1',
        agent: 'sre',
        severity: 'warning',
        title: 'agent sre: pause is in force',
      },
    ])
    expect(issued({ expires_at: '2030-01-01T00:00:00.000Z' })).toEqual([])
    expect(issued({ in_force: false })).toEqual([])
    expect(issued({ action: 'resume' })).toEqual([])
    expect(judged('stateward.intervention.ended', { intervention_id: 'i1', why: 'merged' })).toMatchObject([
      { type: 'resolve', key: 'intervention/i1', why: 'merged' },
      { type: 'resolve', key: 'intervention-rejected/i1' },
    ])
  })

  it('raise one for an escalation until it is settled, and none for other work', () => {
    const work = { namespace: 'default', name: 'help', type: 'escalation', title: 'Who may restart it?' }
    const created = { ...work, description: '', fields: { severity: 'high', question: 'May I?' } }
    const agent = judge({
      name: 'stateward.work.created',
      env: 'default',
      actor: 'agent:default/sre',
      resource: { type: 'WorkItem', id: 'w1' },
      data: created,
    })
    expect(agent).toMatchObject([
      { rule: 'escalation', verdict: { key: 'escalation/w1', agent: 'sre', severity: 'critical', message: 'May I?' } },
    ])
    const moved = (to: string) => judged('stateward.work.moved', { ...work, to }, { type: 'WorkItem', id: 'w1' })
    expect(moved('acknowledged')).toEqual([])
    expect(moved('resolved')).toMatchObject([{ type: 'resolve', key: 'escalation/w1' }])
    expect(judged('stateward.work.created', { ...created, type: 'task' })).toEqual([])
  })

  it('raise one for an anomaly, and for a message that was given up until it is handed out again', () => {
    expect(judged('stateward.impression.recorded', { label: 'anomaly', value: true, basis: {} })).toMatchObject([
      { type: 'raise', key: 'anomaly/Agent u1' },
    ])
    expect(judged('stateward.impression.recorded', { label: 'quality', value: 3, basis: {} })).toEqual([])
    const message = { namespace: 'default', agent: 'sre', from: 'user:ada', attempts: 10, reason: 'unacknowledged' }
    expect(judged('stateward.message.dead_lettered', message)).toMatchObject([{ key: 'message/u1', agent: 'sre' }])
    expect(judged('stateward.message.redelivered', message)).toMatchObject([{ type: 'resolve', key: 'message/u1' }])
  })

  it('raise one for an object that is broken, and none for one that is on its way or as somebody wanted it', () => {
    const changed = (ready: string, reason: string) =>
      judged('stateward.object.status_changed', { namespace: 'default', name: 'sre', ready, reason, message: 'm' })
    expect(changed('False', 'CrashLoop')).toMatchObject([
      { type: 'raise', key: 'object/u1', severity: 'critical', agent: 'sre', title: 'Agent sre: CrashLoop' },
    ])
    for (const [ready, reason] of [
      ['True', 'Succeeded'],
      ['Unknown', 'Suspended'],
      ['False', 'Starting'],
      ['False', 'Progressing'],
    ])
      expect(changed(ready!, reason!)).toMatchObject([{ type: 'resolve', key: 'object/u1' }])
    expect(judged('stateward.object.deleted', {})).toMatchObject([{ type: 'resolve', key: 'object/u1' }])
  })

  it('say nothing of what no rule listens to', () => {
    expect(judged('stateward.run.started', {})).toEqual([])
  })
})
