import { expect, test } from 'vitest'
import { withoutParts } from './redact-parts.ts'

test('parts of a result are replaced by their pointers, and nothing else is', () => {
  const value = { token: 't', items: [{ password: 'p', name: 'n' }, { password: 'q' }], 'a/b': { c: 1 } }
  expect(withoutParts(value, ['/token', '/items/*/password', '/a~1b/c', '/not/there'])).toEqual({
    token: '[redacted]',
    items: [{ password: '[redacted]', name: 'n' }, { password: '[redacted]' }],
    'a/b': { c: '[redacted]' },
  })
  expect(withoutParts('text', ['/x'])).toBe('text')
  expect(withoutParts([1, 2], ['/1'])).toEqual([1, '[redacted]'])
})
