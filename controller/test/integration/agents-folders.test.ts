import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tidy } from '../../src/agents/housekeeping.ts'
import { Trees } from '../../src/agents/trees.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import { removeFolder, startTestFleet } from '../support/agent-fleet.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stateward-folders-'))
})
afterEach(() => removeFolder(folder))

describe('copies of trees', () => {
  it('are written once, read-only, with execute bits kept', async () => {
    let written = 0
    const trees = new Trees(folder, async (tree, into) => {
      written += 1
      mkdirSync(join(into, 'lib'))
      writeFileSync(join(into, 'lib/a.js'), tree)
      writeFileSync(join(into, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 })
      symlinkSync('run.sh', join(into, 'link'))
    })
    const [a, b] = await Promise.all([trees.ensure('t1'), trees.ensure('t1')])
    expect([a, b, await trees.ensure('t1')]).toEqual(Array(3).fill(join(folder, 'trees/t1')))
    expect(written).toBe(1)
    expect(readFileSync(join(a, 'lib/a.js'), 'utf8')).toBe('t1')
    const mode = (path: string) => (statSync(join(a, path)).mode & 0o777).toString(8)
    expect(['', 'lib', 'lib/a.js', 'run.sh'].map(mode)).toEqual(['555', '555', '444', '555'])
    expect(readdirSync(join(folder, 'trees'))).toEqual(['t1'])
  })

  it('that could not be written completely are not there', async () => {
    const trees = new Trees(folder, async (_tree, into) => {
      writeFileSync(join(into, 'half'), '')
      throw new Error('the repository is gone')
    })
    await expect(trees.ensure('t1')).rejects.toThrow('the repository is gone')
    expect(readdirSync(join(folder, 'trees'))).toEqual([])
  })

  it('are removed when nobody has used them for long', async () => {
    const trees = new Trees(folder, async (tree, into) => writeFileSync(join(into, 'f'), tree))
    for (const tree of ['used', 'new', 'old']) await trees.ensure(tree)
    const long = new Date(Date.now() - 1_000_000)
    for (const tree of ['used', 'old']) utimesSync(join(folder, 'trees', tree), long, long)
    expect(await trees.removeUnused(new Set(['used']), new Date(Date.now() - 1000))).toEqual(['old'])
    await trees.touch(['used', 'not-there'], new Date())
    expect(await trees.removeUnused(new Set(), new Date(Date.now() - 1000))).toEqual([])
  })
})

describe('housekeeping', () => {
  it('removes folders of instances that nobody knows, and leaves everything else', async () => {
    const fleet = await startTestFleet()
    try {
      const unknown = uuidv7()
      mkdirSync(join(fleet.dataDir, 'instances', unknown), { recursive: true })
      mkdirSync(join(fleet.dataDir, 'instances', 'not-ours'))
      await tidy(fleet.agents.fleet)
      expect(existsSync(join(fleet.dataDir, 'instances', unknown))).toBe(false)
      expect(existsSync(join(fleet.dataDir, 'instances', 'not-ours'))).toBe(true)
    } finally {
      await fleet.end()
    }
  })
})
