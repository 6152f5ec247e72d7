import { expect, test } from 'vitest'
import { blueprint } from './blueprint.kind.ts'

test('a plan names its agents and tools', () => {
  const plan = [
    { id: 'a', kind: 'agent_task', agent: 'sre', prompt: 'x' },
    { id: 'b', kind: 'agent_task', agent: 'openai', model: 'gpt-5', prompt: 'x' },
    { id: 'c', kind: 'action_task', action: 'ssh.run' },
    { id: 'd', kind: 'gate', mode: 'manual' },
  ]
  expect(blueprint.references({ plan })).toEqual([
    { kind: 'Agent', name: 'sre', pointer: '/spec/plan/0/agent', strength: 'required' },
    {
      kind: 'Agent',
      name: 'openai',
      pointer: '/spec/plan/1/agent',
      strength: 'optional',
      alternatives: ['ModelProvider'],
    },
    { kind: 'Tool', name: 'ssh.run', pointer: '/spec/plan/2/action', strength: 'optional' },
  ])
})

test('a gate cannot need more approvals than people it names', () => {
  const gate = (approvers: string[], min: number) =>
    blueprint.check({ plan: [{ id: 'ok', kind: 'gate', mode: 'manual', approvers, min }] })
  expect(gate(['user:ann', 'user:bob'], 2)).toEqual([])
  expect(gate(['role:operator'], 2)).toEqual([])
  expect(gate(['user:ann'], 2)).toEqual([expect.objectContaining({ pointer: '/spec/plan/0/min' })])
})

test('a loop names what its plan names', () => {
  const inner = { id: 'a', kind: 'agent_task', agent: 'sre', prompt: 'x', needs: ['b'] }
  const plan = [{ id: 'each', kind: 'foreach', items: '[1]', plan: [inner] }]
  expect(blueprint.references({ plan })).toMatchObject([{ name: 'sre', pointer: '/spec/plan/0/plan/0/agent' }])
  expect(blueprint.check({ plan })).toMatchObject([{ pointer: '/spec/plan/0/plan/0/needs/0' }])
})

test('a wait is for an event or for time, and a timeout decides what its kind can', () => {
  const problems = (step: object) =>
    blueprint.check({ plan: [{ id: 'a', ...step }] }).map(({ pointer }) => pointer.replace('/spec/plan/0', ''))
  expect(problems({ kind: 'wait', event: 'a.b', timeout: '1h', onTimeout: 'continue' })).toEqual([])
  expect(problems({ kind: 'wait', duration: '1h' })).toEqual([])
  expect(problems({ kind: 'wait' })).toEqual([''])
  expect(problems({ kind: 'wait', event: 'a.b', duration: '1h' })).toEqual([''])
  expect(problems({ kind: 'wait', duration: '1h', timeout: '2h', filter: 'true' })).toEqual(['/filter', '/timeout'])
  expect(problems({ kind: 'wait', event: 'a.b', onTimeout: 'fail' })).toEqual(['/onTimeout'])
  expect(problems({ kind: 'wait', event: 'a.b', timeout: '1h', onTimeout: 'reject' })).toEqual(['/onTimeout'])
  expect(problems({ kind: 'gate', mode: 'manual', onTimeout: 'continue' })).toEqual(['/onTimeout'])
})

test('a gate that asks for an answer asks one person, who has to be there', () => {
  const gate = (more: object) =>
    blueprint.check({ plan: [{ id: 'ok', kind: 'gate', mode: 'manual', inputSchema: { type: 'string' }, ...more }] })
  expect(gate({})).toEqual([])
  expect(gate({ min: 2 })).toEqual([expect.objectContaining({ pointer: '/spec/plan/0/min' })])
  expect(gate({ onTimeout: 'approve' })).toEqual([expect.objectContaining({ pointer: '/spec/plan/0/onTimeout' })])
})

test('a gate of policies takes nothing that is for people', () => {
  const gate = (more: object) => blueprint.check({ plan: [{ id: 'ok', kind: 'gate', mode: 'policy', ...more }] })
  expect(gate({})).toEqual([])
  expect(gate({ min: 1, selfApproval: 'allow', onTimeout: 'reject' })).toEqual([])
  expect(gate({ approvers: ['role:operator'], timeout: '5m' })).toMatchObject([
    { pointer: '/spec/plan/0/approvers' },
    { pointer: '/spec/plan/0/timeout' },
  ])
})

test('a gate that a merge decides asks nobody by name', () => {
  const gate = (more: object) => blueprint.check({ plan: [{ id: 'ok', kind: 'gate', mode: 'pullRequest', ...more }] })
  expect(gate({ min: 1, selfApproval: 'allow', inputSchema: { type: 'string' } })).toEqual([])
  expect(gate({ approvers: ['role:operator'], min: 2, selfApproval: 'deny' }).map(({ pointer }) => pointer)).toEqual([
    '/spec/plan/0/approvers',
    '/spec/plan/0/min',
    '/spec/plan/0/selfApproval',
  ])
})
