import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeCursor, encodeCursor, pageBody } from './cursor.ts'

describe('cursors', () => {
  it('come back as they were made', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((each) => !each.includes('\u0000'))
    const time = fc.date({ min: new Date('1970-01-01'), max: new Date('9999-01-01'), noInvalidDate: true })
    fc.assert(
      fc.property(text, fc.maxSafeInteger(), time, fc.uuid(), (...position) => {
        expect(decodeCursor(encodeCursor(position), ['string', 'number', 'time', 'uuid'])).toEqual(position)
      }),
    )
  })

  it.each([
    '',
    'abc',
    encodeCursor([1, 2]),
    encodeCursor(['a']),
    encodeCursor(['a', 1.5]),
    encodeCursor(['a', 1e300]),
    encodeCursor(['a\u0000', 1]),
    Buffer.from('{}').toString('base64url'),
  ])('refuse what is not ours: %s', (cursor) => {
    expect(() => decodeCursor(cursor, ['string', 'number'])).toThrow(
      expect.objectContaining({ ref: 'SW_BAD_REQUEST', status: 400 }),
    )
  })

  it('refuse ids and times that are none', () => {
    expect(() => decodeCursor(encodeCursor(['x']), ['uuid'])).toThrow()
    expect(() => decodeCursor(encodeCursor(['yesterday']), ['time'])).toThrow()
  })
})

describe('pageBody', () => {
  const page = (rows: number[], limit: number) =>
    pageBody(
      rows,
      { limit, correlationId: 'c' },
      (row) => [row],
      (row) => ({ row }),
    )

  it('shows as many as were asked for and says where the next begin', () => {
    expect(page([1, 2, 3], 2)).toEqual({
      items: [{ row: 1 }, { row: 2 }],
      next_cursor: encodeCursor([2]),
      correlation_id: 'c',
    })
  })

  it('has no cursor on the last page', () => {
    expect([page([1, 2], 2).next_cursor, page([], 2).next_cursor]).toEqual([null, null])
  })
})
