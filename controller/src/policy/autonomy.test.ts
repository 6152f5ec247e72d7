import { describe, expect, it } from 'vitest'
import { type AutonomyQuestion, autonomyGate } from './autonomy.ts'

const CALL: AutonomyQuestion = {
  tool: ['ssh.run'],
  risk: 'high',
  sideEffects: 'irreversible',
  environment: null,
  agents: [],
}
const agent = (more: Partial<AutonomyQuestion['agents'][0]> = {}) => ({
  name: 'sre',
  autonomy: null,
  requireApproval: [],
  ...more,
})
const gate = (more: Partial<AutonomyQuestion>) => autonomyGate({ ...CALL, ...more })

describe('autonomyGate', () => {
  it('adds nothing to what no agent is behind, unless the environment says so', () => {
    expect(gate({})).toBeNull()
    expect(gate({ environment: 'full' })).toBeNull()
    expect(gate({ environment: 'supervised' })).toMatchObject({ by: 'autonomy supervised of the environment' })
  })

  it('holds calls of medium and high risk behind agents that nobody says anything about', () => {
    expect(gate({ agents: [agent()] })).toMatchObject({ by: 'autonomy supervised of agent sre', always: false })
    expect(gate({ agents: [agent()], risk: 'medium' })).not.toBeNull()
    expect(gate({ agents: [agent()], risk: 'low' })).toBeNull()
  })

  it('holds every call that leaves something behind with manual, whatever its risk', () => {
    const agents = [agent({ autonomy: 'manual' as const })]
    expect(gate({ agents, risk: 'low', sideEffects: 'reversible' })).not.toBeNull()
    expect(gate({ agents, risk: 'low', sideEffects: 'none' })).toBeNull()
  })

  it('lets neither the agent nor the environment loosen what the other says', () => {
    expect(gate({ environment: 'manual', agents: [agent({ autonomy: 'full' })] })).not.toBeNull()
    expect(gate({ environment: 'full', agents: [agent({ autonomy: 'manual' })] })).not.toBeNull()
    expect(gate({ environment: 'full', agents: [agent()] })).toBeNull()
  })

  it('always opens a gate before the tools an agent names, also by another name', () => {
    const agents = [agent({ autonomy: 'full', requireApproval: ['ssh.*'] })]
    expect(gate({ agents })).toMatchObject({ always: true, by: 'agent sre (requireApproval)' })
    expect(gate({ agents, tool: ['shell.exec', 'ssh.exec'] })).toMatchObject({ always: true })
    expect(gate({ agents, tool: ['http.get'], risk: 'low' })).toBeNull()
  })
})
