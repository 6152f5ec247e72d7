import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formsOf, KnownSecrets, REDACTED, redactedBytes } from './known-secrets.ts'

function knowing(...secrets: string[]): KnownSecrets {
  const known = new KnownSecrets()
  for (const secret of secrets) known.learn(secret)
  return known
}
async function* piecesOf(bytes: Uint8Array, sizes: readonly number[]): AsyncIterable<Uint8Array> {
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % Math.max(1, sizes.length)] ?? 1)
    yield bytes.subarray(at, at + size)
    at += size
  }
}
async function through(text: string, known: KnownSecrets, sizes: readonly number[]): Promise<string> {
  const out: Uint8Array[] = []
  for await (const chunk of redactedBytes(piecesOf(Buffer.from(text), sizes), known)) out.push(chunk)
  return Buffer.concat(out).toString()
}
const secret = fc.stringMatching(/^[!-~ä]{6,30}$/)

describe('the secrets a process knows', () => {
  test('go in every form they turn up in', () => {
    const known = knowing('p@ss "word"/1')
    for (const form of ['p@ss "word"/1', 'p@ss \\"word\\"/1', 'p%40ss%20%22word%22%2F1', 'cEBzcyAid29yZCIvMQ'])
      expect(known.redact(`x ${form} y`)).toBe(`x ${REDACTED} y`)
  })

  test('the lines of a long one go one by one, the longest text first', () => {
    const known = knowing('abcdef', 'abcdefghi\nsecond-line')
    expect(known.redact('x abcdefghi y second-line z abcdef')).toBe('x [redacted] y [redacted] z [redacted]')
  })

  test('values too short to be told from chance stay', () => {
    expect(knowing('no', '12345').isEmpty).toBe(true)
  })

  test('a value without any is the same value', () => {
    const value = { a: ['b', { c: 1 }] }
    expect(knowing('something').redactJson(value)).toBe(value)
    expect(knowing('secret1').redactJson({ 'a-secret1': ['secret1', 1, null] })).toEqual({
      'a-[redacted]': ['[redacted]', 1, null],
    })
  })

  test('none of its forms is left in any text', () => {
    fc.assert(
      fc.property(fc.array(secret, { minLength: 1, maxLength: 5 }), fc.array(fc.string()), (secrets, between) => {
        const text = secrets.map((one, i) => `${between[i] ?? ' '}${one}`).join('')
        const clean = knowing(...secrets).redact(text)
        for (const one of secrets) expect(clean).not.toContain(one)
      }),
    )
  })
})

describe('a stream of bytes', () => {
  test('loses the secret wherever it is cut, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(secret, { minLength: 1, maxLength: 3 }),
        fc.array(fc.stringMatching(/^[ \n]{0,9}$/), { minLength: 4, maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
        async (secrets, between, sizes) => {
          const known = knowing(...secrets)
          const text = secrets.map((one, i) => `${between[i]}${one}`).join('') + between[3]
          expect(await through(text, known, sizes)).toBe(known.redact(text))
        },
      ),
    )
  })

  test('without a secret comes out as it was', async () => {
    const text = 'grüße 12345 \u{1f600}'.repeat(50)
    expect(await through(text, knowing('another-secret'), [7])).toBe(text)
    expect(await through(text, knowing(), [7])).toBe(text)
  })
})

test('a secret has a few forms, each once', () => {
  expect(formsOf('hunter22')).toEqual(['hunter22', 'aHVudGVyMjI'])
})
