import { describe, expect, it } from 'vitest'
import { redactLine } from './redact.ts'

describe('redactLine', () => {
  it('empties members that are named like a secret, at any depth', () => {
    const line = redactLine(
      JSON.stringify({ a: { password: 'hunter2', apiKey: 'k' }, db_password: 'x"y', name: 'sre' }),
    )
    expect(JSON.parse(line)).toEqual({
      a: { password: '[redacted]', apiKey: '[redacted]' },
      db_password: '[redacted]',
      name: 'sre',
    })
  })

  it('keeps the first eight characters of our tokens, so that two can be told apart', () => {
    const token = `swa_${'aB3'.repeat(14)}x`
    expect(redactLine(JSON.stringify({ msg: `used ${token} twice` }))).toBe('{"msg":"used swa_aB3a[redacted] twice"}')
    expect(redactLine(JSON.stringify({ token }))).toBe('{"token":"swa_aB3a[redacted]"}')
  })

  it('hides Authorization values and the password of a URL', () => {
    expect(redactLine('{"msg":"sent Bearer abcdefghijkl"}')).toBe('{"msg":"sent Bearer [redacted]"}')
    expect(redactLine('{"url":"postgres://app:s3cret@db/x"}')).toBe('{"url":"postgres://app:[redacted]@db/x"}')
  })

  it('leaves an ordinary line as it is', () => {
    const line = JSON.stringify({
      level: 30,
      msg: 'applied',
      kind: 'Agent',
      name: 'sre',
      url: 'http://127.0.0.1:8088/x',
      tokens: 12,
    })
    expect(redactLine(line)).toBe(line)
  })
})
