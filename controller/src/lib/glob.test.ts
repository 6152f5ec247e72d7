import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { globMatches, globPattern } from './glob.ts'

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

it('the pattern for the database fits what a glob fits', () => {
  const word = fc.stringMatching(/^[a-z0-9_.*-]{1,12}$/)
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 4 }),
      fc.stringMatching(/^[a-z0-9_.-]{1,16}$/),
      (globs, name) => {
        const pattern = new RegExp(globPattern(globs)!)
        expect(pattern.test(name)).toBe(globs.some((glob) => globMatches(glob, name)))
      },
    ),
  )
  expect(globPattern([])).toBeNull()
})
