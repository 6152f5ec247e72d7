import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ARTEFACTS, GENERATED_FOLDERS } from '../../src/cli/generate/artefacts.ts'
import { bringUpToDate, findStale } from '../../src/cli/generate/generate.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

test('the generated files of the repository are fresh (else: npm run generate)', async () => {
  const { stale, leftover } = await findStale(root, ARTEFACTS, GENERATED_FOLDERS)
  expect({ stale: stale.map(({ path }) => path), leftover }).toEqual({ stale: [], leftover: [] })
})

test('an empty folder gets every file, a changed one is written again, a file nothing makes is removed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stateward-generate-'))
  try {
    const artefacts = [
      { path: 'out/a.txt', render: async () => 'a' },
      { path: 'out/b.txt', render: async () => 'b' },
    ]
    const first = await findStale(folder, artefacts, ['out'])
    expect(first.stale.map(({ path }) => path)).toEqual(['out/a.txt', 'out/b.txt'])
    await bringUpToDate(folder, first)
    expect(await findStale(folder, artefacts, ['out'])).toEqual({ stale: [], leftover: [] })

    await writeFile(join(folder, 'out/a.txt'), 'changed')
    await writeFile(join(folder, 'out/old.txt'), 'old')
    await mkdir(join(folder, 'out/below'))
    const second = await findStale(folder, artefacts, ['out'])
    expect([second.stale.map(({ path }) => path), second.leftover]).toEqual([['out/a.txt'], ['out/old.txt']])
    await bringUpToDate(folder, second)
    expect(await readFile(join(folder, 'out/a.txt'), 'utf8')).toBe('a')
    expect(await findStale(folder, artefacts, ['out'])).toEqual({ stale: [], leftover: [] })
  } finally {
    await rm(folder, { recursive: true })
  }
})
