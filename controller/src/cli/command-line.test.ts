import { describe, expect, it } from 'vitest'
import { fakeTerminal } from '../../test/support/fake-terminal.ts'
import { shellWord } from '../lib/shell-word.ts'
import { commandLine } from './command-line.ts'

describe('commandLine', () => {
  const line = (called: string | undefined, flags: Record<string, unknown> = {}) =>
    commandLine({ flags, terminal: fakeTerminal({ env: { STATEWARD_COMMAND: called } }) }, 'approve', 'fix-1', 'gate')

  it('begins with the program as it was called', () => {
    expect(line('bin/stateward')).toBe('bin/stateward approve fix-1 gate')
    expect(line('../bin/stateward')).toBe('../bin/stateward approve fix-1 gate')
    expect(line('/usr/bin/stateward')).toBe('stateward approve fix-1 gate')
    expect(line(undefined)).toBe('stateward approve fix-1 gate')
  })

  it('repeats the flags that name the server, and never the token', () => {
    expect(line('stateward', { server: 'http://h:1', data: 'my data', token: 'swk_x' })).toBe(
      "stateward --server http://h:1 --data 'my data' approve fix-1 gate",
    )
  })

  it('quotes what a shell would read', () => {
    expect(shellWord("it's $HOME")).toBe(`'it'\\''s $HOME'`)
    expect(shellWord('')).toBe("''")
  })
})
