import { describe, expect, it } from 'vitest'
import { parseTraceparent, spanIdOf, traceIdOf, traceparentOf } from './trace-context.ts'

const GIVEN = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

describe('trace context', () => {
  it('goes on with a trace that came in', () => {
    expect(parseTraceparent(GIVEN)).toEqual({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
    })
    expect(traceIdOf(GIVEN)).toBe('0af7651916cd43dd8448eb211c80319c')
    expect(traceparentOf(GIVEN, 'r/s/1')).toBe(`00-0af7651916cd43dd8448eb211c80319c-${spanIdOf('r/s/1')}-01`)
  })

  it('is made of a uuid as it is, and of any other word by its digest', () => {
    expect(traceIdOf('01983a4e-6b7c-7d10-9a54-3f2b8c1d0e77')).toBe('01983a4e6b7c7d109a543f2b8c1d0e77')
    expect(traceIdOf('req-1')).toMatch(/^[0-9a-f]{32}$/)
    expect(spanIdOf('a')).toMatch(/^[0-9a-f]{16}$/)
  })

  it('is nothing where it says nothing', () => {
    for (const text of ['', 'x', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, GIVEN.replace('00-', 'ff-')])
      expect(parseTraceparent(text)).toBeNull()
  })
})
