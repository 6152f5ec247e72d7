import { describe, expect, it } from 'vitest'
import { KINDS } from '../../kinds/registry.ts'
import type { LoggedEvent } from '../../store/ports.ts'
import { isTouched } from './subscriptions.ts'

const event = (changes: Partial<LoggedEvent>): LoggedEvent => ({
  ...{ seq: 1, event_id: 'e', event_name: 'x.y', occurred_at: '', env_id: 'default', actor: 'system' },
  ...{ correlation_id: 'c', run_id: null, step_id: null, resource: null, data: {} },
  ...changes,
})
const RUN = '01983a4e-6b7c-7d10-9a54-3f2b8c1d0e77'
const touches = (changes: Partial<LoggedEvent>, uri: string) => isTouched(uri, event(changes), KINDS)

describe('what an event may have changed', () => {
  it('is the log, always', () => {
    expect(touches({}, 'stateward://events')).toBe(true)
  })

  it('is its run, and the list of runs; a run that is asked for by its name rather too often', () => {
    for (const uri of [
      'stateward://runs',
      `stateward://runs/${RUN}`,
      `stateward://runs/${RUN}/steps`,
      'stateward://runs/fix-a1b2c3',
    ])
      expect([uri, touches({ run_id: RUN }, uri)]).toEqual([uri, true])
    expect(touches({ run_id: RUN }, `stateward://runs/${RUN.replace('01', '02')}`)).toBe(false)
    expect(touches({}, 'stateward://runs')).toBe(false)
  })

  it('is its object, and the list of its kind', () => {
    const agent = { resource: { type: 'Agent', id: 'u' }, data: { namespace: 'default', name: 'sre' } }
    expect(touches(agent, 'stateward://objects/agents')).toBe(true)
    expect(touches(agent, 'stateward://objects/agents/default/sre')).toBe(true)
    expect(touches(agent, 'stateward://objects/agents/default/bob')).toBe(false)
    expect(touches(agent, 'stateward://objects/agents/prod/sre')).toBe(false)
    expect(touches(agent, 'stateward://objects/tools')).toBe(false)
    expect(touches({ ...agent, data: {} }, 'stateward://objects/agents/default/bob')).toBe(true)
    expect(touches(agent, 'stateward://docs/mcp')).toBe(false)
  })

  it('is a proposal, where it is about proposals', () => {
    expect(touches({ event_name: 'stateward.proposal.merged' }, 'stateward://proposals/1')).toBe(true)
    expect(touches({ event_name: 'stateward.run.started' }, 'stateward://proposals')).toBe(false)
    expect(touches({ event_name: 'stateward.work.moved' }, 'stateward://work/ticket-k3q9zt')).toBe(true)
    expect(touches({ event_name: 'stateward.artifact.stored' }, 'stateward://work')).toBe(false)
  })
})
