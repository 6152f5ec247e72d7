import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FileDigest, treeDifferences } from '../../src/agents/tree-differences.ts'
import { Trees } from '../../src/agents/trees.ts'
import { sha256 } from '../../src/lib/digest.ts'
import { removeFolder } from '../support/agent-fleet.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stateward-drift-'))
})
afterEach(() => removeFolder(folder))

const FILES = { 'a.md': 'a', 'lib/b.md': 'b' }
const DECLARED: ReadonlyMap<string, FileDigest> = new Map(
  Object.entries(FILES).map(([path, text]) => [path, { sha256: sha256(text), bytes: text.length }]),
)

describe('the files of a tree', () => {
  it('differ when they were changed, removed or replaced, and not by what lies beside them', async () => {
    const seen = new Map()
    expect(await treeDifferences(join(folder, 'nothing'), DECLARED, seen)).toEqual([])
    mkdirSync(join(folder, 'lib'))
    for (const [path, text] of Object.entries(FILES)) writeFileSync(join(folder, path), text)
    writeFileSync(join(folder, 'cache'), '')
    expect(await treeDifferences(folder, DECLARED, seen)).toEqual([])
    writeFileSync(join(folder, 'lib/b.md'), 'other')
    rmSync(join(folder, 'a.md'))
    symlinkSync('/etc/passwd', join(folder, 'a.md'))
    expect(await treeDifferences(folder, DECLARED, seen)).toEqual([
      { path: 'a.md', live: null, declared: DECLARED.get('a.md') },
      { path: 'lib/b.md', live: { sha256: sha256('other'), bytes: 5 }, declared: DECLARED.get('lib/b.md') },
    ])
  })

  it('are put back one by one, read-only as before', async () => {
    const trees = new Trees(folder, async (_tree, into) => {
      mkdirSync(join(into, 'lib'))
      for (const [path, text] of Object.entries(FILES)) writeFileSync(join(into, path), text)
    })
    const copy = await trees.ensure('t')
    rmSync(copy, { recursive: true, force: true })
    mkdirSync(copy)
    writeFileSync(join(copy, 'a.md'), 'mine')
    await trees.restore('t', ['a.md', 'lib/b.md'])
    for (const [path, text] of Object.entries(FILES)) expect(readFileSync(join(copy, path), 'utf8')).toBe(text)
    expect(['', 'lib', 'lib/b.md'].map((path) => (statSync(join(copy, path)).mode & 0o777).toString(8))).toEqual([
      '555',
      '555',
      '444',
    ])
  })
})
