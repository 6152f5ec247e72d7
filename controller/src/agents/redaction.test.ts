import { describe, expect, test } from 'vitest'
import { redactJson, redactor } from './redaction.ts'

describe('redaction', () => {
  test('takes a secret out wherever it stands', () => {
    expect(redactor(['hunter22'])('key=hunter22, again hunter22!')).toBe('key=[redacted], again [redacted]!')
  })

  test('takes each line of a long secret out, and the longest value first', () => {
    const redact = redactor(['abcdef', 'abcdefghi\nsecond-line'])
    expect(redact('x abcdefghi y second-line z abcdef')).toBe('x [redacted] y [redacted] z [redacted]')
  })

  test('leaves values too short to be told from chance', () => {
    expect(redactor(['no'])('not now')).toBe('not now')
  })

  test('shortens our own tokens without knowing them', () => {
    expect(redactor([])(`token swa_Abcd${'x'.repeat(39)} end`)).toBe('token swa_Abcd[redacted] end')
  })

  test('reaches keys and values of JSON at any depth', () => {
    expect(redactJson({ 'a-secret1': ['secret1', 1, null, { b: 'x secret1' }] }, redactor(['secret1']))).toEqual({
      'a-[redacted]': ['[redacted]', 1, null, { b: 'x [redacted]' }],
    })
  })
})
