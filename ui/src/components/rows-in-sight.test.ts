import { describe, expect, it } from 'vitest'
import { scrollTopFor } from './rows-in-sight.ts'

describe('a row that is gone to', () => {
  it.each([
    ['is in sight: nothing moves', 5, 100, 100],
    ['is above: it becomes the first', 1, 100, 40],
    ['is below: it becomes the last, whole', 20, 100, 440],
    ['is as high as what is in sight allows', 12, 120, 120],
  ])('%s', (_what, index, scrollTop, expected) => {
    expect(scrollTopFor(index, 40, scrollTop, 400)).toBe(expected)
  })
})
