import { shellWord } from '../lib/shell-word.ts'
import type { VerbCall } from './verb.ts'

/**
 * A command to copy: the program as it was called this time, with the flags that name the server. Words that a shell
 * would read otherwise are quoted.
 */
export function commandLine(call: Pick<VerbCall, 'flags' | 'terminal'>, ...words: readonly string[]): string {
  const called = call.terminal.env['STATEWARD_COMMAND'] ?? ''
  const program = called.includes('/') && !called.startsWith('/') ? called : 'stateward'
  const flags = ['server', 'data'].flatMap((flag) => {
    const value = call.flags[flag]
    return typeof value === 'string' ? [`--${flag}`, value] : []
  })
  return [program, ...flags, ...words].map(shellWord).join(' ')
}
