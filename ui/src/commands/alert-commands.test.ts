import { describe, expect, it } from 'vitest'
import { alertCommands } from './alert-commands.ts'

const ALERT = { id: '0190a5c8', state: 'open', agent: null, namespace: 'default' } as const
const commands = (change: object) => alertCommands({ ...ALERT, ...change }).map(({ command }) => command)

describe('what is typed about an alert', () => {
  it('takes it on and resolves it while it is open', () => {
    expect(commands({})).toEqual([
      "stateward alerts ack 0190a5c8 --note 'on it'",
      'stateward alerts resolve 0190a5c8 --note cleared',
      'stateward alerts rules',
    ])
  })

  it('leaves out what its state does not allow, and names the agent where it is', () => {
    expect(commands({ state: 'acknowledged' })).not.toContain("stateward alerts ack 0190a5c8 --note 'on it'")
    expect(commands({ state: 'resolved', agent: 'sre', namespace: 'prod' })).toEqual([
      'stateward why agent/sre -n prod',
      "stateward pause sre --reason 'an alert' -n prod",
      'stateward alerts rules',
    ])
  })
})
