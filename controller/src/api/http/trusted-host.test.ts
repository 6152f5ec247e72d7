import { describe, expect, it } from 'vitest'
import { checkHost } from './trusted-host.ts'

const trusted = { names: ['stateward.internal'], origins: ['http://localhost:5173'] }
const refused = expect.objectContaining({ ref: 'SW_HOST_REFUSED', status: 403 })

describe('checkHost', () => {
  it.each([
    'localhost',
    'localhost:8088',
    '127.0.0.1:8088',
    '[::1]:8088',
    '[::1]',
    'LOCALHOST:9',
    'stateward.internal:80',
  ])('answers to %s', (host) => {
    expect(() => checkHost({ host }, trusted)).not.toThrow()
  })

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:8088', '', '10.0.0.1:8088', '[::2]:8088'])(
    'refuses the host "%s"',
    (host) => {
      expect(() => checkHost({ host }, trusted)).toThrow(refused)
    },
  )

  it('refuses a request without a Host', () => {
    expect(() => checkHost({}, trusted)).toThrow(refused)
  })

  it('lets our own pages and configured origins call, and no other', () => {
    const host = '127.0.0.1:8088'
    expect(() => checkHost({ host, origin: 'http://127.0.0.1:8088' }, trusted)).not.toThrow()
    expect(() => checkHost({ host, origin: 'http://localhost:5173' }, trusted)).not.toThrow()
    for (const origin of ['http://127.0.0.1:3000', 'http://evil.example', 'null']) {
      expect(() => checkHost({ host, origin }, trusted)).toThrow(refused)
    }
  })
})
