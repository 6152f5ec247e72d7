import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressOf } from './declared.ts'

const at = (url: string, parameters: Parameters<typeof addressOf>[1]) => {
  const { url: found, rest } = addressOf({ url }, parameters)
  return [found.href, rest]
}

describe('the address of a declared request', () => {
  test('has its parameters in it, encoded, and leaves the others', () => {
    expect(at('https://h/items/{id}?v={v}', { id: 'a b/c', v: 'x&y=z', note: 1 })).toEqual([
      'https://h/items/a%20b%2Fc?v=x%26y%3Dz',
      { note: 1 },
    ])
    expect(at('https://h:8443', { n: 1 })).toEqual(['https://h:8443/', { n: 1 }])
    expect(at('https://h/{n}/{yes}', { n: 1.5, yes: true })).toEqual(['https://h/1.5/true', {}])
  })

  test('is refused where a parameter is missing, or would be a way out of the path', () => {
    for (const id of ['..', '.', '', null])
      expect(() => at('https://h/items/{id}/part', { id })).toThrow(
        expect.objectContaining({ code: 'validation_failed' }),
      )
    expect(() => at('https://h/{a}{b}/x', { a: '.', b: '.' })).toThrow()
    expect(() => at('https://h/{id}', {})).toThrow('needs the parameter id')
    expect(at('https://h/..data/{id}', { id: '..x' })[0]).toBe('https://h/..data/..x')
  })

  test('stays with its host and below its path, whatever the parameters are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (id, v) => {
        let href: string
        try {
          href = addressOf({ url: 'https://host.example/a/{id}/b?v={v}' }, { id, v }).url.href
        } catch {
          return true
        }
        const url = new URL(href)
        return (
          url.origin === 'https://host.example' &&
          url.pathname.split('/').length === 4 &&
          url.pathname.startsWith('/a/') &&
          url.pathname.endsWith('/b') &&
          url.hash === '' &&
          [...url.searchParams.keys()].join() === 'v'
        )
      }),
    )
  })
})
