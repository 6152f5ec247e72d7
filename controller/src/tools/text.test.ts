import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cleanText, LineLog, mapTexts } from './text.ts'

describe('LineLog', () => {
  test('gives the same lines however the text comes in', () => {
    const chunk = fc
      .array(fc.constantFrom('a', 'b', '\n', '\r\n', 'ü'), { maxLength: 8 })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 6 }), (chunks) => {
        const lines: string[] = []
        const log = new LineLog((line) => lines.push(line))
        for (const text of chunks) log.push(text)
        log.end()
        const whole = chunks.join('')
        const expected = whole.split('\n').map((line) => line.replace(/\r$/, ''))
        if (expected.at(-1) === '' && !whole.endsWith('\r')) expected.pop()
        expect(lines).toEqual(expected)
      }),
    )
  })

  test('cuts long lines and counts what is too many', () => {
    const lines: string[] = []
    const log = new LineLog((line) => lines.push(line))
    log.push('x'.repeat(20_000))
    log.push(`\n${'y\n'.repeat(10_500)}`)
    log.end()
    expect(lines[0]!.length).toBeLessThan(9000)
    expect(lines).toHaveLength(10_001)
    expect(lines.at(-1)).toMatch(/^… \d+ more lines$/)
  })
})

describe('text that can be stored', () => {
  test('has no NUL and no lone surrogate', () => {
    expect(cleanText('a\0b\uD800c😀')).toBe('a\uFFFDb\uFFFDc😀')
    expect(mapTexts({ 'k\0': ['\0', 1, null] }, cleanText)).toEqual({ 'k\uFFFD': ['\uFFFD', 1, null] })
  })
})
