import { describe, expect, it } from 'vitest'
import { hasCode } from './error-code.ts'

describe('hasCode', () => {
  it('knows an error by any of the codes, and takes nothing else for one', () => {
    const error = Object.assign(new Error('no such file'), { code: 'ENOENT' })
    expect(hasCode(error, 'EACCES', 'ENOENT')).toBe(true)
    expect(hasCode(error, 'EACCES')).toBe(false)
    expect([new Error('ENOENT'), { code: 'ENOENT' }, null].map((other) => hasCode(other, 'ENOENT'))).toEqual([
      false,
      false,
      false,
    ])
  })
})
