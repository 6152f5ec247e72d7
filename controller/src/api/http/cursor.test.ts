import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeCursor, encodeCursor } from './cursor.ts'

describe('cursors', () => {
  it('come back as they were made', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer(), (text, number) => {
        expect(decodeCursor(encodeCursor([text, number]), ['string', 'number'])).toEqual([text, number])
      }),
    )
  })

  it.each(['', 'abc', encodeCursor([1, 2]), encodeCursor(['a']), Buffer.from('{}').toString('base64url')])(
    'refuse what is not ours: %s',
    (cursor) => {
      expect(() => decodeCursor(cursor, ['string', 'number'])).toThrow(
        expect.objectContaining({ ref: 'SW_BAD_REQUEST', status: 400 }),
      )
    },
  )
})
