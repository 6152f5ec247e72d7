import { describe, expect, it } from 'vitest'
import type { ChangedEntry } from './ports.ts'
import { secretsIn } from './secrets-check.ts'

const TOKEN = `ghp_${'a1B2'.repeat(9)}`
const entry = (oid: string | null) => (oid === null ? null : { oid, mode: '100644' })
const change = (path: string, from: string | null, to: string | null): ChangedEntry => ({
  ...{ path, from: entry(from), to: entry(to) },
})

async function codes(blobs: Readonly<Record<string, string | null>>, changes: readonly ChangedEntry[]) {
  const repository = {
    async *readBlobs(oids: readonly string[]) {
      for (const oid of oids) {
        const text = blobs[oid]
        yield { oid, size: text?.length ?? 1e9, bytes: text == null ? null : Buffer.from(text) }
      }
    },
  }
  return (await secretsIn(repository, changes)).map(({ code, file, line }) => [code, file, line])
}

describe('the secrets of a change', () => {
  it('are found in files of any kind, with their line', async () => {
    const blobs = { a: `# Notes\ntoken: ${TOKEN}\n`, b: 'nothing\n' }
    expect(await codes(blobs, [change('docs/notes.md', null, 'a'), change('x.yaml', null, 'b')])).toEqual([
      ['SW_PLAINTEXT_SECRET', 'docs/notes.md', 2],
    ])
  })

  it('are not those that stood there before, nor those of a file that goes', async () => {
    const blobs = { a: `token: ${TOKEN}\n`, b: `# moved down\ntoken: ${TOKEN}\n` }
    expect(await codes(blobs, [change('notes.md', 'a', 'b')])).toEqual([])
    expect(await codes(blobs, [change('notes.md', 'a', null)])).toEqual([])
    expect(await codes(blobs, [change('new.md', null, 'b'), change('notes.md', 'a', null)])).toHaveLength(1)
  })

  it('cannot hide in a file that is too large to be searched', async () => {
    expect(await codes({ a: null }, [change('big.bin', null, 'a')])).toEqual([
      ['SW_FILE_TOO_LARGE', 'big.bin', undefined],
    ])
  })
})
