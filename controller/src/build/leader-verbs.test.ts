import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromJson, toJson } from './leader-verbs.ts'

const { signal } = new AbortController()
const across = (value: unknown) => fromJson(JSON.parse(JSON.stringify(toJson(value))), signal)

describe('what is asked of the leader', () => {
  it('arrives as it was, whatever it is', () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, 0, 'time', 'signal'),
        fc.string(),
        fc.date({ noInvalidDate: true }),
        fc.array(tie('any'), { maxLength: 4 }),
        fc.dictionary(fc.oneof(fc.constantFrom('$is', 'value', '__proto__'), fc.string()), tie('any'), {
          maxKeys: 4,
          noNullPrototype: true,
        }),
      ),
    })).any
    fc.assert(
      fc.property(value, (sent) => {
        expect(across(sent)).toEqual(sent)
      }),
    )
  })

  it('has the signal of whoever does it, and leaves out what is not there', () => {
    expect(across([{ signal: new AbortController().signal, reason: undefined }])).toEqual([{ signal }])
    expect(across(undefined)).toBeNull()
  })
})
