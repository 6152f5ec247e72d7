import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { openDirectorySource } from '../../src/source/directory/directory-source.ts'
import { silentLog } from '../../src/source/log.ts'
import type { Source } from '../../src/source/ports.ts'
import { scratchFolder } from '../support/git-remote.ts'

const scratch = scratchFolder()
afterAll(() => scratch.remove())
const closing: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const open of closing.splice(0).reverse()) await open.close()
})

let counter = 0
const directoryOf = (files: Record<string, string>) => {
  const root = join(scratch.path, `dir-${++counter}`)
  mkdirSync(root)
  for (const [path, text] of Object.entries(files)) put(root, path, text)
  return root
}
const put = (root: string, path: string, text: string) => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}
const open = async (directory: string) => {
  const source = await openDirectorySource({ name: 'dev', directory, clock: systemClock, log: silentLog })
  closing.push(source)
  return source
}
const visible = async (source: Source, from: string | null, to: string) =>
  Object.fromEntries((await source.changes(from, to)).map(({ path, to: file }) => [path, file?.mode ?? null]))
const refOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
  } catch (error) {
    return (error as { ref?: string }).ref ?? String(error)
  }
  return 'no error'
}
const read = async (source: Source, tree: string, maxBytes = 1000) => {
  const files = (await source.changes(null, tree)).map(({ to }) => to!)
  const found: Record<string, string | number> = {}
  for await (const { file, size, bytes } of source.read(files, { maxBytes }))
    found[file.path] = bytes === null ? size : Buffer.from(bytes).toString()
  return found
}

describe('a directory', () => {
  it("has one head as long as nothing changes, and git's own oids", async () => {
    const root = directoryOf({ 'a.yaml': 'a\n', 'd/ü b.yaml': 'b\n' })
    const source = await open(root)
    const head = await source.head()
    expect(head.commit).toMatch(/^dir@[0-9a-f]{64}$/)
    expect(head).toEqual({
      commit: head.tree,
      tree: head.tree,
      message: `Files of ${root}\n`,
      author: { name: 'working copy', email: '', time: expect.stringMatching(/Z$/) },
    })
    expect(await source.head()).toEqual(head)
    expect((await (await open(root)).head()).tree).toBe(head.tree)
    const oid = execFileSync('git', ['hash-object', join(root, 'a.yaml')])
      .toString()
      .trim()
    expect(await source.oidOf(head.tree, 'a.yaml')).toEqual({ oid, mode: '100644' })
    expect(await read(source, head.tree)).toEqual({ 'a.yaml': 'a\n', 'd/ü b.yaml': 'b\n' })
    expect(await read(source, head.tree, 1)).toEqual({ 'a.yaml': 2, 'd/ü b.yaml': 2 })
  })

  it('gives what changed between the heads it remembers, and refuses others', async () => {
    const root = directoryOf({ a: '1', b: '1', c: '1', run: '1' })
    const source = await open(root)
    const first = (await source.head()).tree
    put(root, 'a', '2')
    rmSync(join(root, 'b'))
    renameSync(join(root, 'c'), join(root, 'moved'))
    chmodSync(join(root, 'run'), 0o755)
    const second = (await source.head()).tree
    expect(await visible(source, first, second)).toEqual({
      a: '100644',
      b: null,
      c: null,
      moved: '100644',
      run: '100755',
    })
    expect(await visible(source, second, first)).toEqual({
      a: '100644',
      b: '100644',
      c: '100644',
      moved: null,
      run: '100644',
    })
    expect(await source.changes(second, second)).toEqual([])
    expect(await refOf(source.changes(`dir@${'0'.repeat(64)}`, second))).toBe('SW_REV_MISSING')
  })

  it('notices new content of the same size and time stamp', async () => {
    const root = directoryOf({ a: 'one' })
    const source = await open(root)
    const first = (await source.head()).tree
    const stamp = new Date('2026-01-01T00:00:00Z')
    utimesSync(join(root, 'a'), stamp, stamp)
    writeFileSync(join(root, 'a'), 'two')
    utimesSync(join(root, 'a'), stamp, stamp)
    const second = (await source.head()).tree
    expect(second).not.toBe(first)
    expect(await read(source, second)).toEqual({ a: 'two' })
  })

  it('leaves out .git, what is ignored, and special files; links are reported and not followed', async () => {
    const root = directoryOf({
      '.git/config': 'x',
      'sub/.git/HEAD': 'x',
      '.statewardignore': 'node_modules/\n*.swp\n',
      'node_modules/x/m.yaml': '1',
      'a.yaml': '1',
      '.a.yaml.swp': '1',
      'd/.statewardignore': 'hidden.yaml',
      'd/hidden.yaml': '1',
    })
    symlinkSync('/etc', join(root, 'etc'))
    execFileSync('mkfifo', [join(root, 'pipe')])
    const source = await open(root)
    const { tree } = await source.head()
    expect(await visible(source, null, tree)).toEqual({ 'a.yaml': '100644', etc: '120000' })
    expect(await read(source, tree)).toEqual({ 'a.yaml': '1', etc: 0 })
    put(root, '.statewardignore', 'a.yaml\n')
    expect(await visible(source, tree, (await source.head()).tree)).toEqual({
      'a.yaml': null,
      '.a.yaml.swp': '100644',
      'node_modules/x/m.yaml': '100644',
    })
  })

  it('gives directories an oid of their files, hidden ones too, with files that can be read', async () => {
    const root = directoryOf({
      '.statewardignore': '/hidden/\nsecret.md\n',
      'agents/sre/run.js': '1',
      'agents/sre/lib/x.js': '2',
      'hidden/run.js': 'h',
      'secret.md': 's',
      other: '1',
    })
    const source = await open(root)
    const { tree } = await source.head()
    const directory = (await source.oidOf(tree, './agents/sre/'))!
    expect(directory.mode).toBe('040000')
    expect(await read(source, directory.oid)).toEqual({ 'lib/x.js': '2', 'run.js': '1' })
    expect(await source.oidOf(tree, '.')).toEqual({ oid: tree, mode: '040000' })
    expect(await source.oidOf(tree, 'agents/nope')).toBe(null)
    expect(await source.oidOf(tree, '../dir')).toBe(null)
    const hidden = (await source.oidOf(tree, 'hidden'))!
    expect(await read(source, hidden.oid)).toEqual({ 'run.js': 'h' })
    expect(await source.oidOf(tree, 'secret.md')).toMatchObject({ mode: '100644' })
    put(root, 'other', '2')
    const next = (await source.head()).tree
    expect(await source.oidOf(next, 'agents/sre')).toEqual(directory)
    put(root, 'agents/sre/lib/x.js', '3')
    expect((await source.oidOf((await source.head()).tree, 'agents/sre'))!.oid).not.toBe(directory.oid)
  })

  it('refuses to give bytes that are not those of the oid, but finds them where they moved', async () => {
    const root = directoryOf({ a: '1', b: '2' })
    const source = await open(root)
    const { tree } = await source.head()
    renameSync(join(root, 'a'), join(root, 'c'))
    await source.head()
    expect(await read(source, tree)).toEqual({ a: '1', b: '2' })
    put(root, 'b', 'changed')
    expect(await refOf(read(source, tree))).toBe('SW_CONFLICT')
    expect(await refOf(read(source, tree, 3))).toBe('SW_CONFLICT')
  })

  it('is an error when it is missing, empty, or went away', async () => {
    expect(await refOf(open(join(scratch.path, 'nowhere')))).toBe('SW_REPO_INVALID')
    const root = directoryOf({ a: '1' })
    expect(await refOf(open(join(root, 'a')))).toBe('SW_REPO_INVALID')
    const source = await open(root)
    await source.head()
    rmSync(join(root, 'a'))
    expect(await refOf(source.head())).toBe('SW_REPO_INVALID')
    rmSync(root, { recursive: true })
    expect(await refOf(source.head())).toBe('SW_REPO_INVALID')
  })

  it('is an error when a file or a folder in it cannot be read, never a smaller set of files', async () => {
    for (const path of ['a.yaml', 'folder']) {
      const root = directoryOf({ 'a.yaml': '1', 'folder/b.yaml': '1', 'c.yaml': '1' })
      chmodSync(join(root, path), 0)
      const source = await withoutPrivileges(() => refOf(open(root)))
      expect(source, path).toBe('SW_SOURCE_UNREACHABLE')
    }
  })
})

describe('watching a directory', () => {
  it('calls back once for the several steps of saving a file, and the new content is there', async () => {
    const root = directoryOf({ 'a.yaml': '1', 'd/b.yaml': '1' })
    const source = await open(root)
    const first = await source.head()
    const watch = await watching(source)
    put(root, '.a.yaml.swp', 'x')
    put(root, 'a.yaml~', '2')
    renameSync(join(root, 'a.yaml~'), join(root, 'a.yaml'))
    rmSync(join(root, '.a.yaml.swp'))
    await watch.next(0)
    const second = await source.head()
    expect(await visible(source, first.tree, second.tree)).toEqual({ 'a.yaml': '100644' })
    const before = watch.calls()
    put(root, 'new/folder/c.yaml', '1')
    await watch.next(before)
    await expect
      .poll(async () => visible(source, second.tree, (await source.head()).tree))
      .toEqual({ 'new/folder/c.yaml': '100644' })
  })

  it('watches what a change of the ignore file brings back', async () => {
    const root = directoryOf({ '.statewardignore': 'hidden/\n', 'a.yaml': '1', 'hidden/b.yaml': '1' })
    const source = await open(root)
    await source.head()
    const watch = await watching(source)
    put(root, '.statewardignore', '')
    await watch.next(0)
    const { tree } = await source.head()
    const before = watch.calls()
    put(root, 'hidden/b.yaml', '2')
    await watch.next(before)
    expect(await visible(source, tree, (await source.head()).tree)).toEqual({ 'hidden/b.yaml': '100644' })
    expect(readFileSync(join(root, 'hidden/b.yaml'), 'utf8')).toBe('2')
  })
})

/** Resolves with the next call of a watch. */
async function watching(source: Source) {
  let calls = 0
  let wake: () => void = () => {}
  const watch = await source.watch(() => {
    calls++
    wake()
  })
  closing.push(watch)
  return {
    calls: () => calls,
    async next(after: number) {
      while (calls <= after) await new Promise<void>((resolve) => (wake = resolve))
    },
  }
}

/** Root reads everything: for the length of `work` the process is somebody else. */
async function withoutPrivileges<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work()
  process.seteuid!(65534)
  try {
    return await work()
  } finally {
    process.seteuid!(0)
  }
}
