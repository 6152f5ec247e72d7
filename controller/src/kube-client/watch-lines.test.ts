import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KubeError } from './kube-error.ts'
import { type WatchEvent, watchEvents } from './watch-lines.ts'

const event = (type: string, name: string): unknown => ({
  type,
  object: { metadata: { name, uid: 'u', resourceVersion: '7' } },
})
async function* bytes(...parts: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* parts
}
async function read(...parts: readonly Buffer[]): Promise<WatchEvent[]> {
  const found: WatchEvent[] = []
  for await (const one of watchEvents(bytes(...parts))) found.push(one)
  return found
}

describe('the lines of a watch', () => {
  test('are read however they are cut into pieces', async () => {
    const names = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(names, fc.integer({ min: 1, max: 40 }), async (all, size) => {
        const whole = Buffer.from(all.map((name) => `${JSON.stringify(event('ADDED', name))}\n`).join(''))
        const parts = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) =>
          whole.subarray(i * size, (i + 1) * size),
        )
        expect((await read(...parts)).map(({ object }) => object.metadata.name)).toEqual(all)
      }),
    )
  })

  test('that say the version is too old throw so', async () => {
    const line = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } }
    const reading = read(Buffer.from(`${JSON.stringify(line)}\n`))
    await expect(reading).rejects.toMatchObject({ failure: 'expired', status: 410 })
  })

  test.each(['{', '[]', '{"type":"ADDED"}', '{"type":"OTHER","object":{"metadata":{}}}'])(
    'that are no event (%s) throw',
    async (line) => {
      await expect(read(Buffer.from(`${line}\n`))).rejects.toBeInstanceOf(KubeError)
    },
  )
})
