import { describe, expect, it } from 'vitest'
import { fakeTerminal } from '../../../test/support/fake-terminal.ts'
import { isOf, readLogLine, renderLogLine } from './log-line.ts'

const LINE = '2026-11-21T15:00:53.143Z each[3].ping | no route | to \u001b[2Jhost'

describe('a line of a log', () => {
  it('tells when and which step when a run wrote it', () => {
    expect(readLogLine(LINE)).toEqual({
      time: '2026-11-21T15:00:53.143Z',
      step: 'each[3].ping',
      line: 'no route | to \u001b[2Jhost',
    })
    expect(readLogLine('hello | world')).toEqual({ line: 'hello | world' })
  })

  it('belongs to its step and to what that is inside of', () => {
    const line = readLogLine(LINE)
    expect(['each[3].ping', 'each[3]', 'each'].map((step) => isOf(line, step))).toEqual([true, true, true])
    expect(['eac', 'ping', 'each[3].pin'].map((step) => isOf(line, step))).toEqual([false, false, false])
  })

  it('is as it was in a file, and cannot move the cursor of a terminal', () => {
    const line = readLogLine(LINE)
    expect(renderLogLine(line, LINE, fakeTerminal())).toBe(LINE)
    expect(renderLogLine(line, LINE, fakeTerminal({ columns: 80 }))).toBe(
      '15:00:53.143 each[3].ping | no route | to \\u001b[2Jhost',
    )
  })
})
