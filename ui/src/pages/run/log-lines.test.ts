import { describe, expect, it } from 'vitest'
import { findInLog, isOfStep, LogBuffer, parseLogLine } from './log-lines.ts'

describe('lines of a log', () => {
  it('say when and by which step they were written', () => {
    expect(parseLogLine('2026-03-28T09:15:04.250Z each[3].fix | would run: uptime')).toEqual({
      time: '2026-03-28T09:15:04.250Z',
      step: 'each[3].fix',
      text: 'would run: uptime',
    })
    expect(parseLogLine('plain | text')).toEqual({ time: null, step: null, text: 'plain | text' })
  })

  it('lose what terminals take for colours, and keep markup as text', () => {
    expect(parseLogLine('\u001b[31mred\u001b[0m <script>').text).toBe('red <script>')
  })

  it('belong to a step with what is inside of it, and to no other of a similar name', () => {
    const of = (step: string) => ({ time: null, step, text: '' })
    expect(isOfStep(of('each[3].fix'), 'each')).toBe(true)
    expect(isOfStep(of('each.fix'), 'each')).toBe(true)
    expect(isOfStep(of('each2'), 'each')).toBe(false)
    expect(isOfStep(of('a'), null)).toBe(true)
  })
})

describe('a log that comes in pieces', () => {
  it('has a line once its end has come, and shows one that has no end yet', () => {
    const buffer = new LogBuffer(100)
    buffer.push('one\ntw')
    expect(buffer.lines().map(({ text }) => text)).toEqual(['one', 'tw'])
    buffer.push('o\n')
    expect(buffer.lines().map(({ text }) => text)).toEqual(['one', 'two'])
  })

  it('keeps the last lines only', () => {
    const buffer = new LogBuffer(10)
    for (let n = 0; n < 100; n++) buffer.push(`${n}\n`)
    expect(buffer.lines().length).toBeLessThanOrEqual(11)
    expect(buffer.lines().at(-1)?.text).toBe('99')
    expect(buffer.dropped + buffer.lines().length).toBe(100)
  })

  it('is searched in any case', () => {
    const buffer = new LogBuffer(10)
    buffer.push('Alpha\nbeta\nalphabet\n')
    expect(findInLog(buffer.lines(), 'ALPHA')).toEqual([0, 2])
    expect(findInLog(buffer.lines(), '')).toEqual([])
  })
})
