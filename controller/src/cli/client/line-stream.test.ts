import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { serverSentEvents, splitLines } from './line-stream.ts'

async function* chunksOf(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    yield bytes.subarray(at, at + size)
    at += size
  }
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of source) found.push(item)
  return found
}

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}

describe('splitLines', () => {
  it('gives the same lines wherever the stream was cut, also inside of a character', async () => {
    const line = fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n]/.test(text))
    const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 })
    await fc.assert(
      fc.asyncProperty(fc.array(line), sizes, async (lines, cuts) => {
        const bytes = new TextEncoder().encode(lines.map((each) => `${each}\n`).join(''))
        // A decoder takes a byte order mark at the very beginning for itself.
        expect(await all(splitLines(chunksOf(bytes, cuts)))).toEqual(
          lines.map((each, i) => (i === 0 ? each.replace(/^\ufeff/, '') : each)),
        )
      }),
    )
  })

  it('counts a last line without an end, and takes CR LF as one', async () => {
    expect(await all(splitLines(chunksOf(new TextEncoder().encode('a\r\nb\n\nc'), [3])))).toEqual(['a', 'b', '', 'c'])
  })
})

describe('serverSentEvents', () => {
  it('reads ids, names and data over several lines, and passes comments over', async () => {
    const lines = [
      'retry: 1000',
      'id: 7',
      '',
      ':keepalive',
      '',
      'id: 8',
      'data: {"a":',
      'data: 1}',
      '',
      'event: superseded',
      'data:x',
      '',
    ]
    expect(await all(serverSentEvents(each(lines)))).toEqual([
      { id: '7', event: 'id', data: '' },
      { id: '8', event: 'message', data: '{"a":\n1}' },
      { id: '8', event: 'superseded', data: 'x' },
    ])
  })

  it('leaves out an event that was cut off', async () => {
    expect(await all(serverSentEvents(each(['data: half'])))).toEqual([])
  })
})
