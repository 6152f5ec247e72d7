import { expect, it } from 'vitest'
import { EVENT_TYPES } from '../../../events/catalogue.ts'
import type { JsonObject } from '../../../lib/json.ts'
import { isForOperators } from './channels.ts'

const carried = (event_name: string, data: JsonObject = {}) => isForOperators({ event_name, data })

it('the stream of the operator carries alerts, decisions and escalations, and nothing of the daily work', () => {
  const names = Object.keys(EVENT_TYPES)
  const nouns = new Set(names.filter((name) => carried(name)).map((name) => name.split('.')[1]))
  for (const noun of ['alert', 'run', 'proposal', 'intervention', 'breaker', 'source', 'message', 'bus'])
    expect(nouns).toContain(noun)
  for (const name of [
    'stateward.run.started',
    'stateward.run.step.completed',
    'stateward.task.leased',
    'stateward.message.sent',
    'stateward.access.allowed',
    'stateward.host.joined',
    'stateward.object.updated',
    'checkmk.alert',
  ])
    expect([name, carried(name)]).toEqual([name, false])
  expect(carried('stateward.run.gate.opened')).toBe(true)
})

it('of the work graph and of objects it carries what a person has to look at', () => {
  expect(carried('stateward.work.created', { type: 'escalation' })).toBe(true)
  expect(carried('stateward.work.moved', { type: 'human_decision' })).toBe(true)
  expect(carried('stateward.work.created', { type: 'task' })).toBe(false)
  expect(carried('stateward.object.status_changed', { ready: 'False', reason: 'ApprovalRequired' })).toBe(true)
  expect(carried('stateward.object.status_changed', { ready: 'True', reason: 'Succeeded' })).toBe(false)
})
