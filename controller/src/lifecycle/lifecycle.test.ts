import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ALERT_EVENTS, ALERT_STATES, alertStatesBefore, alertTable, nextAlert } from './alert.ts'
import { GATE_EVENTS, GATE_STATES, gateStatesBefore, gateTable, nextGate } from './gate.ts'
import { INSTANCE_EVENTS, INSTANCE_STATES, instanceStatesBefore, instanceTable, nextInstance } from './instance.ts'
import {
  INTERVENTION_EVENTS,
  INTERVENTION_STATES,
  interventionStatesBefore,
  interventionTable,
  nextIntervention,
} from './intervention.ts'
import { LEASE_EVENTS, LEASE_STATES, leaseTable, nextLease } from './lease.ts'
import { nextProposal, PROPOSAL_EVENTS, PROPOSAL_STATES, proposalStatesBefore, proposalTable } from './proposal.ts'
import { nextRun, RUN_EVENTS, RUN_STATES, runStatesBefore, runTable } from './run.ts'
import { nextStep, STEP_EVENTS, STEP_STATES, stepStatesBefore, stepTable } from './step.ts'
import { finalStates, next, statesBefore, type Table } from './table.ts'
import { nextTask, TASK_EVENTS, TASK_STATES, taskStatesBefore, taskTable } from './task.ts'

type AnyTable = Table<string, string>

const MACHINES: [string, AnyTable, readonly string[], readonly string[], string[]][] = [
  ['run', runTable as AnyTable, RUN_STATES, RUN_EVENTS, ['completed', 'failed', 'cancelled']],
  ['step', stepTable as AnyTable, STEP_STATES, STEP_EVENTS, ['completed', 'failed', 'skipped']],
  ['gate', gateTable as AnyTable, GATE_STATES, GATE_EVENTS, ['approved', 'rejected', 'expired', 'cancelled']],
  ['task', taskTable as AnyTable, TASK_STATES, TASK_EVENTS, ['completed', 'failed', 'cancelled']],
  ['lease', leaseTable as AnyTable, LEASE_STATES, LEASE_EVENTS, ['lost', 'released']],
  ['instance', instanceTable as AnyTable, INSTANCE_STATES, INSTANCE_EVENTS, ['ended']],
  ['alert', alertTable as AnyTable, ALERT_STATES, ALERT_EVENTS, ['resolved']],
  [
    'proposal',
    proposalTable as AnyTable,
    PROPOSAL_STATES,
    PROPOSAL_EVENTS,
    ['merged', 'rejected', 'expired', 'superseded'],
  ],
  [
    'intervention',
    interventionTable as AnyTable,
    INTERVENTION_STATES,
    INTERVENTION_EVENTS,
    ['applied', 'rejected', 'expired'],
  ],
]

describe.each(MACHINES)('the table of a %s', (_name, table, states, events, ends) => {
  test('1: answers every event in every state with a known state, ignore or reject', () => {
    expect(Object.keys(table)).toEqual([...states])
    for (const state of states) {
      expect(Object.keys(table[state]!)).toEqual([...events])
      for (const event of events) expect([...states, 'ignore', 'reject']).toContain(table[state]![event])
    }
  })

  test('2: no event leaves a final state', () => {
    expect(finalStates(table)).toEqual(ends)
  })

  test('3: an end can be reached from every other state, and every state from the first', () => {
    const reach = (from: string): Set<string> => {
      const seen = new Set([from])
      for (const state of seen) for (const event of events) seen.add(next(table, state, event).state)
      return seen
    }
    expect([...reach(states[0]!)].sort()).toEqual([...states].sort())
    for (const state of states) expect(ends.some((end) => reach(state).has(end))).toBe(true)
  })

  test('4: nothing returns to the first state, except a task whose instance is gone and a lease that is renewed late', () => {
    const returning: Record<string, string[]> = { queued: ['leased'], held: ['late'] }
    expect(statesBefore(table, states[0]!)).toEqual(returning[states[0]!] ?? [])
  })

  test('5: the guard of an UPDATE names exactly the states from which an event leads there', () => {
    for (const to of states) {
      const before = statesBefore(table, to)
      for (const state of states) {
        const leads = events.some((event) => {
          const result = next(table, state, event)
          return result.outcome === 'moved' && result.state === to
        })
        expect(before.includes(state)).toBe(leads)
      }
    }
  })

  test('6: whatever comes in whatever order, the first end stays', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 20 }), (happened) => {
        let state = states[0]!
        let end: string | null = null
        for (const event of happened) {
          const result = next(table, state, event)
          if (result.outcome !== 'moved') expect(result.state).toBe(state)
          state = result.state
          if (end !== null) expect(state).toBe(end)
          else if (ends.includes(state)) end = state
        }
      }),
    )
  })
})

describe('what the tables promise', () => {
  test('7: a recorded result is never replaced', () => {
    for (const end of ['completed', 'failed', 'cancelled'] as const) {
      for (const event of ['complete', 'fail', 'start'] as const) expect(nextRun(end, event).outcome).toBe('rejected')
    }
    for (const event of STEP_EVENTS) expect(nextStep('completed', event).state).toBe('completed')
  })

  test('8: cancelling fails what runs and skips what has not started', () => {
    expect(nextStep('running', 'cancel')).toEqual({ outcome: 'moved', state: 'failed' })
    expect(nextStep('created', 'cancel')).toEqual({ outcome: 'moved', state: 'skipped' })
    expect(nextStep('completed', 'cancel').outcome).toBe('ignored')
  })

  test('9: a retry stays running', () => {
    expect(nextStep('running', 'retry')).toEqual({ outcome: 'moved', state: 'running' })
    expect(stepStatesBefore('running')).toEqual(['created', 'running'])
  })

  test('10: the first decision of a gate wins, a later one is refused, a late timer is not', () => {
    for (const state of ['approved', 'rejected', 'expired', 'cancelled'] as const) {
      expect(nextGate(state, 'approve').outcome).toBe('rejected')
      expect(nextGate(state, 'reject').outcome).toBe('rejected')
      expect(nextGate(state, 'expire').outcome).toBe('ignored')
    }
    expect(gateStatesBefore('approved')).toEqual(['waiting'])
  })

  test('11: a task is leased by one instance at a time', () => {
    expect(nextTask('leased', 'lease').outcome).toBe('rejected')
    expect(nextTask('leased', 'release')).toEqual({ outcome: 'moved', state: 'queued' })
    expect(taskStatesBefore('leased')).toEqual(['queued'])
  })

  test('13: a lease that was lost or given up is never held again, and nothing begins under a late one', () => {
    for (const state of ['lost', 'released'] as const) expect(nextLease(state, 'renew').outcome).toBe('rejected')
    expect(nextLease('lost', 'giveUp').outcome).toBe('ignored')
    expect(nextLease('late', 'renew')).toEqual({ outcome: 'moved', state: 'held' })
  })

  test('12: an instance that ended never comes back', () => {
    expect(nextInstance('ended', 'register').outcome).toBe('rejected')
    expect(instanceStatesBefore('running')).toEqual(['starting'])
    expect(runStatesBefore('running')).toEqual(['created'])
  })

  test('14: what an agent said of an intervention stays said, and what is over is not answered any more', () => {
    expect(nextIntervention('applied', 'refuse').outcome).toBe('rejected')
    expect(nextIntervention('rejected', 'apply').outcome).toBe('rejected')
    expect(nextIntervention('expired', 'acknowledge').outcome).toBe('rejected')
    expect(interventionStatesBefore('expired')).toEqual(['pending', 'acknowledged'])
  })

  test('15: a resolved alert stays resolved, and one that is looked after can still be resolved', () => {
    expect(nextAlert('resolved', 'acknowledge').outcome).toBe('rejected')
    expect(nextAlert('resolved', 'resolve').outcome).toBe('ignored')
    expect(alertStatesBefore('resolved')).toEqual(['open', 'acknowledged'])
  })

  test('16: a proposal ends once; what did not land cannot be merged any more', () => {
    for (const state of ['rejected', 'expired', 'superseded'] as const)
      expect(nextProposal(state, 'merge').outcome).toBe('rejected')
    expect(nextProposal('merged', 'reject').outcome).toBe('rejected')
    for (const end of PROPOSAL_STATES.slice(1)) expect(proposalStatesBefore(end)).toEqual(['open'])
  })
})
