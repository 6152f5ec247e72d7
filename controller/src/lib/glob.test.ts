import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { globMatches } from './glob.ts'

describe('globMatches', () => {
  it('agrees with the regular expression it stands for', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 })
    const glob = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 })
    fc.assert(
      fc.property(glob, text, (pattern, value) => {
        const regex = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll(/\*+/g, '.*')}$`)
        expect(globMatches(pattern, value)).toBe(regex.test(value))
      }),
      { numRuns: 2000 },
    )
  })

  it('answers at once where a backtracking matcher would not', () => {
    expect(globMatches(`${'a*'.repeat(80)}b`, 'a'.repeat(200))).toBe(false)
  })
})
