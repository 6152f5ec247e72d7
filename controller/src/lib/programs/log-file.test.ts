import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { startOfLastLines } from './log-file.ts'

const last = (text: string, lines: number) => {
  const bytes = Buffer.from(text)
  return bytes.subarray(startOfLastLines(bytes, lines)).toString()
}

describe('the last lines of a log', () => {
  test('are whole lines from the end, an unfinished one included', () => {
    expect(last('a\nb\nc\n', 2)).toBe('b\nc\n')
    expect(last('a\nb\nc', 2)).toBe('b\nc')
  })

  test('are everything when there are fewer, and nothing when none is asked for', () => {
    expect(last('a\nb\n', 9)).toBe('a\nb\n')
    expect(last('', 3)).toBe('')
    expect(last('a\n', 0)).toBe('')
  })

  test('are what splitting the text gives, for any text', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', 'ä', ' ') })), fc.nat(10), (lines, count) => {
        const text = lines.map((line) => `${line}\n`).join('')
        const expected =
          count === 0
            ? ''
            : lines
                .slice(-count)
                .map((line) => `${line}\n`)
                .join('')
        expect(last(text, count)).toBe(expected)
      }),
    )
  })
})
