import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { initBareRepository, openRepository } from '../../src/source/git/open-repository.ts'
import { seedRepository } from '../../src/source/git/seed-repository.ts'
import type { GitRepository, TreeChange, WriteCommit } from '../../src/source/ports.ts'
import type { GitServer } from '../support/git-remote.ts'
import { bareRepository, commitFiles, git, scratchFolder, serveHttp, serveSsh, tipOf } from '../support/git-remote.ts'
import { requires } from '../support/requires.ts'

/** What the contract expects of each adapter; what it cannot do answers SW_GIT_BINARY_REQUIRED. */
const ADAPTERS = [
  { adapter: 'git', canPush: true, canSsh: true, canFile: true, canSha256: true, canLarge: true, noBinary: false },
  {
    adapter: 'isomorphic-git',
    canPush: false,
    canSsh: false,
    canFile: false,
    canSha256: false,
    canLarge: false,
    noBinary: true,
  },
] as const

const scratch = scratchFolder()
afterAll(() => scratch.remove())

let counter = 0
const freshPath = (name = 'repo') => join(scratch.path, `${name}-${++counter}.git`)

const PERSON = { name: 'Stateward', email: 'stateward@example.org' }
const TIME = new Date('2026-03-01T10:00:00Z')
const change = (request: Partial<WriteCommit> & Pick<WriteCommit, 'parent'>): WriteCommit => ({
  ref: 'refs/heads/main',
  files: new Map(),
  message: 'a change',
  author: PERSON,
  committer: PERSON,
  time: TIME,
  ...request,
})
const refOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
  } catch (error) {
    return (error as { ref?: string }).ref ?? String(error)
  }
  return 'no error'
}
const paths = (changes: readonly TreeChange[]) =>
  changes.map(({ path, from, to }) => `${from === null ? '+' : to === null ? '-' : '~'}${path}`)

describe.each(ADAPTERS)('the $adapter adapter', ({ adapter, canPush, canSsh, canFile, canSha256, canLarge }) => {
  const opened: GitRepository[] = []
  const open = async (gitDir: string, environment?: Record<string, string>) => {
    const repository = await openRepository({ gitDir, adapter, ...(environment === undefined ? {} : { environment }) })
    opened.push(repository)
    return repository
  }
  const made = async () => {
    const path = bareRepository(freshPath())
    return { path, repository: await open(path) }
  }
  const read = async (repository: GitRepository, oids: readonly string[], maxBytes = 1 << 20) => {
    const blobs: { size: number; text: string | null }[] = []
    for await (const blob of repository.readBlobs(oids, { maxBytes }))
      blobs.push({ size: blob.size, text: blob.bytes === null ? null : Buffer.from(blob.bytes).toString() })
    return blobs
  }
  const treeOf = async (repository: GitRepository, revision: string) =>
    (await repository.commit((await repository.resolve(revision))!)).tree
  afterEach(async () => {
    for (const repository of opened.splice(0)) await repository.close()
  })

  describe('resolving names', () => {
    it('finds branches, tags, oids, prefixes and ancestors, and nothing else', async () => {
      const { path, repository } = await made()
      const first = commitFiles(path, { a: '1' })
      const second = commitFiles(path, { a: '2' })
      git(path, ['tag', 'light', first])
      git(path, ['tag', '-a', '-m', 'annotated', 'heavy', second])
      for (const [name, oid] of [
        ['main', second],
        ['refs/heads/main', second],
        ['HEAD', second],
        ['light', first],
        ['refs/tags/heavy', second],
        ['heavy', second],
        [first, first],
        [first.slice(0, 7), first],
        ['main~1', first],
        ['main^', first],
        ['heavy~1', first],
      ] as const) {
        expect(await repository.resolve(name), name).toBe(oid)
      }
      for (const name of [
        'nope',
        'refs/heads/nope',
        'f'.repeat(40),
        'main~5',
        'main^2',
        '',
        '-x',
        'a b',
        'main\nmain',
        'main@{1}',
        ':/change',
        'main:a',
        '../main',
        await treeOf(repository, 'main'),
      ]) {
        expect(await repository.resolve(name), name).toBe(null)
      }
    })

    it('sees at once what other processes do: moved, packed, forced back, deleted', async () => {
      const { path, repository } = await made()
      const first = commitFiles(path, { a: '1' })
      expect(await repository.resolve('main')).toBe(first)
      const second = commitFiles(path, { a: '2' })
      expect(await repository.resolve('main')).toBe(second)
      git(path, ['gc', '--quiet', '--prune=now'])
      expect(readdirSync(join(path, 'refs/heads'))).toEqual([])
      expect(await repository.resolve('main')).toBe(second)
      expect(await repository.readFile('refs/heads/main', 'a', { maxBytes: 10 })).toEqual(Buffer.from('2'))
      git(path, ['update-ref', 'refs/heads/main', first])
      expect(await repository.resolve('main')).toBe(first)
      git(path, ['update-ref', '-d', 'refs/heads/main'])
      expect(await repository.resolve('main')).toBe(null)
    })

    it('lists refs by prefix', async () => {
      const { path, repository } = await made()
      expect([...(await repository.refs('refs/'))]).toEqual([])
      const first = commitFiles(path, { a: '1' })
      git(path, ['pack-refs', '--all'])
      const other = commitFiles(path, { a: '2' }, { ref: 'refs/heads/team/other' })
      git(path, ['tag', 'v1', first])
      expect(new Map(await repository.refs('refs/heads/'))).toEqual(
        new Map([
          ['refs/heads/main', first],
          ['refs/heads/team/other', other],
        ]),
      )
      expect(new Map(await repository.refs('refs/tags/'))).toEqual(new Map([['refs/tags/v1', first]]))
    })
  })

  describe('reading', () => {
    it('reads a commit with its people in UTC and its whole message', async () => {
      const { path, repository } = await made()
      const first = commitFiles(path, { a: '1' }, { message: 'Grüße\n\nWith a body.\n\nTrailer: yes' })
      const second = commitFiles(path, { a: '2' })
      const commit = await repository.commit(first)
      expect(commit).toMatchObject({
        oid: first,
        parents: [],
        author: { name: 'Ada', email: 'ada@example.org' },
        message: 'Grüße\n\nWith a body.\n\nTrailer: yes\n',
      })
      expect(commit.author.time).toMatch(/^2025-06-1\dT\d\d:\d\d:\d\d\.000Z$/)
      expect((await repository.commit(second)).parents).toEqual([first])
      expect(await refOf(repository.commit('e'.repeat(40)))).toBe('SW_REV_MISSING')
      expect(await refOf(repository.commit(commit.tree))).toBe('SW_REV_MISSING')
    })

    it('reads a commit in another encoding, and one with a signature', async () => {
      const { path, repository } = await made()
      const tree = git(path, ['mktree'], { input: '' })
      const people = 'author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000'
      const latin = Buffer.from(`tree ${tree}\n${people}\nencoding ISO-8859-1\n\nGr\u00fc\u00dfe\n`, 'latin1')
      const signed = `tree ${tree}\n${people}\ngpgsig -----BEGIN SSH SIGNATURE-----\n author X <x@y> 9 +0000\n -----END SSH SIGNATURE-----\n\nsigned\n`
      const write = (body: string | Buffer) =>
        git(path, ['hash-object', '-w', '-t', 'commit', '--stdin'], { input: body })
      expect((await repository.commit(write(latin))).message).toBe('Grüße\n')
      expect(await repository.commit(write(signed))).toMatchObject({ author: { name: 'A' }, message: 'signed\n' })
    })

    it('gives blobs in the order asked, with repeats, and only the size of those over the limit', async () => {
      const { path, repository } = await made()
      commitFiles(path, { empty: '', small: 'abc', large: 'x'.repeat(200_000), nul: Buffer.from('a\0\nb') })
      const tree = await treeOf(repository, 'main')
      const oid = async (name: string) => (await repository.entry(tree, name))!.oid
      const wanted = [await oid('small'), await oid('large'), await oid('empty'), await oid('small'), await oid('nul')]
      expect(await read(repository, wanted, 100)).toEqual([
        { size: 3, text: 'abc' },
        { size: 200_000, text: null },
        { size: 0, text: '' },
        { size: 3, text: 'abc' },
        { size: 4, text: 'a\0\nb' },
      ])
      expect((await read(repository, wanted))[1]!.text).toHaveLength(200_000)
      expect(await read(repository, [])).toEqual([])
    })

    it('fails for a blob that is missing or is none, and goes on afterwards', async () => {
      const { path, repository } = await made()
      commitFiles(path, { a: 'abc' })
      const tree = await treeOf(repository, 'main')
      const { oid } = (await repository.entry(tree, 'a'))!
      expect(await refOf(read(repository, [oid, 'd'.repeat(40)]))).toBe('SW_GIT_FAILED')
      expect(await refOf(read(repository, [tree]))).toBe('SW_GIT_FAILED')
      expect(await read(repository, [oid])).toEqual([{ size: 3, text: 'abc' }])
    })

    it('fails for a damaged object and answers the next question', async () => {
      const { path, repository } = await made()
      commitFiles(path, { bad: 'will be damaged', good: 'fine' })
      const tree = await treeOf(repository, 'main')
      const bad = (await repository.entry(tree, 'bad'))!.oid
      const file = join(path, 'objects', bad.slice(0, 2), bad.slice(2))
      rmSync(file)
      writeFileSync(file, 'garbage')
      expect(await refOf(read(repository, [bad]))).toBe('SW_GIT_FAILED')
      expect(await read(repository, [(await repository.entry(tree, 'good'))!.oid])).toEqual([{ size: 4, text: 'fine' }])
    })

    it('finds entries by path, whatever their names', async () => {
      const { path, repository } = await made()
      const names = ['dir with space/ü – 日本.yaml', 'a\nb/c\td.yaml', 'quote"\\back.yaml', '😀/x', 'dir/deep/er/file']
      commitFiles(path, Object.fromEntries(names.map((name) => [name, name])))
      const tree = await treeOf(repository, 'main')
      for (const name of names) {
        const entry = await repository.entry(tree, name)
        expect(entry?.mode, name).toBe('100644')
        expect(await read(repository, [entry!.oid])).toEqual([{ size: Buffer.byteLength(name), text: name }])
        expect(await repository.readFile('refs/heads/main', name, { maxBytes: 1000 })).toEqual(Buffer.from(name))
      }
      expect(await repository.entry(tree, '')).toEqual({ oid: tree, mode: '040000' })
      expect((await repository.entry(tree, 'dir/deep'))?.mode).toBe('040000')
      for (const name of ['nope', 'dir/nope', 'dir/deep/er/file/below', 'dir/'])
        expect(await repository.entry(tree, name), name).toBe(null)
      expect(paths(await repository.diff(null, tree))).toEqual(
        [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).map((name) => `+${name}`),
      )
    })

    it('reads a file of a ref, with null for what is missing and an error for what is too large', async () => {
      const { path, repository } = await made()
      commitFiles(path, { 'd/a': 'abc' })
      expect(await repository.readFile('refs/heads/main', 'd/a', { maxBytes: 3 })).toEqual(Buffer.from('abc'))
      for (const [ref, name] of [
        ['refs/heads/nope', 'd/a'],
        ['refs/heads/main', 'd/b'],
        ['refs/heads/main', 'd'],
      ] as const)
        expect(await repository.readFile(ref, name, { maxBytes: 3 })).toBe(null)
      expect(await refOf(repository.readFile('refs/heads/main', 'd/a', { maxBytes: 2 }))).toBe('SW_BODY_TOO_LARGE')
    })
  })

  describe('comparing trees', () => {
    it('tells what was added, changed, deleted, and what kind each is', async () => {
      const { path, repository } = await made()
      const submodule = { mode: '160000', oid: 'c'.repeat(40) } as const
      commitFiles(path, {
        same: '1',
        'dir/same': '1',
        changed: '1',
        'dir/gone': '1',
        bit: { mode: '100644', content: 'x' },
        kind: 'file',
        place: 'file',
        'folder/a': '1',
      })
      const from = await treeOf(repository, 'main')
      commitFiles(path, {
        changed: '2',
        'dir/gone': null,
        'dir/new': '1',
        bit: { mode: '100755', content: 'x' },
        kind: { mode: '120000', content: 'same' },
        module: submodule,
        place: null,
        'folder/a': null,
      })
      commitFiles(path, { 'place/inside': '1', folder: 'now a file' })
      const to = await treeOf(repository, 'main')
      const changes = await repository.diff(from, to)
      expect(paths(changes)).toEqual([
        '~bit',
        '~changed',
        '-dir/gone',
        '+dir/new',
        '+folder',
        '-folder/a',
        '~kind',
        '+module',
        '-place',
        '+place/inside',
      ])
      const modes = Object.fromEntries(
        changes.map(({ path: name, from: a, to: b }) => [name, [a?.mode ?? null, b?.mode ?? null]]),
      )
      expect(modes).toMatchObject({
        bit: ['100644', '100755'],
        kind: ['100644', '120000'],
        module: [null, '160000'],
        'place/inside': [null, '100644'],
      })
      expect(changes.find(({ path: name }) => name === 'module')!.to!.oid).toBe(submodule.oid)
      expect(await repository.diff(to, to)).toEqual([])
      expect(paths(await repository.diff(to, from)).length).toBe(changes.length)
    })

    it('keeps to a path, whatever stands there on either side', async () => {
      const { path, repository } = await made()
      commitFiles(path, { 'a/x': '1', 'b/x': '1', 'ab/x': '1', leaf: '1' })
      const from = await treeOf(repository, 'main')
      commitFiles(path, { 'a/x': '2', 'b/x': '2', 'ab/x': '2', 'b/y': '1', leaf: '2' })
      const to = await treeOf(repository, 'main')
      expect(paths(await repository.diff(from, to, 'b'))).toEqual(['~b/x', '+b/y'])
      expect(paths(await repository.diff(null, to, 'b'))).toEqual(['+b/x', '+b/y'])
      expect(paths(await repository.diff(from, to, 'leaf'))).toEqual(['~leaf'])
      expect(await repository.diff(from, to, 'nowhere')).toEqual([])
      commitFiles(path, { leaf: null, 'b/x': null, 'b/y': null })
      commitFiles(path, { 'leaf/now': '1', b: 'a file' })
      const last = await treeOf(repository, 'main')
      expect(paths(await repository.diff(to, last, 'leaf'))).toEqual(['-leaf', '+leaf/now'])
      expect(paths(await repository.diff(to, last, 'b'))).toEqual(['+b', '-b/x', '-b/y'])
    })

    it('fails when a tree is missing, at the root and further down, and never says "no changes"', async () => {
      const { path, repository } = await made()
      commitFiles(path, { 'dir/a': '1', b: '1' })
      const from = await treeOf(repository, 'main')
      commitFiles(path, { 'dir/a': '2' })
      const to = await treeOf(repository, 'main')
      expect(await refOf(repository.diff('1'.repeat(40), to))).toBe('SW_GIT_FAILED')
      expect(await refOf(repository.diff(null, '1'.repeat(40)))).toBe('SW_GIT_FAILED')
      const below = (await repository.entry(to, 'dir'))!.oid
      const lost = join(path, 'objects', below.slice(0, 2), below.slice(2))
      expect(statSync(lost).isFile()).toBe(true)
      rmSync(lost)
      const again = await open(path)
      expect(await refOf(again.diff(from, to))).toBe('SW_GIT_FAILED')
      expect(await refOf(again.diff(null, to))).toBe('SW_GIT_FAILED')
      expect(paths(await again.diff(null, from))).toEqual(['+b', '+dir/a'])
    })

    it(
      canLarge ? 'reads a repository of 2,000 files' : 'asks for the git binary for a repository of 2,000 files',
      async () => {
        const { path, repository } = await made()
        const files = new Map(
          Array.from({ length: 2000 }, (_, n) => [`d${n % 20}/file-${n}.yaml`, `content ${n}\n`] as [string, string]),
        )
        commitFiles(path, { seed: '1' })
        const native = await openRepository({ gitDir: path, adapter: 'git' })
        opened.push(native)
        const seed = (await native.resolve('main'))!
        const large = await native.writeCommit(change({ parent: seed, files }))
        const tree = (await repository.commit(large)).tree
        if (!canLarge) {
          expect(await refOf(repository.diff(null, tree))).toBe('SW_GIT_BINARY_REQUIRED')
          expect(await refOf(repository.diff((await repository.commit(seed)).tree, tree))).toBe(
            'SW_GIT_BINARY_REQUIRED',
          )
          return
        }
        const listing = (await repository.diff(null, tree)).filter(({ path: name }) => name !== 'seed')
        expect(listing).toHaveLength(2000)
        const blobs = await read(
          repository,
          listing.map(({ to }) => to!.oid),
        )
        expect(blobs.map(({ text }) => text)).toEqual(listing.map(({ path: name }) => files.get(name)))
      },
    )
  })

  describe('history', () => {
    const history = async () => {
      const { path, repository } = await made()
      const base = commitFiles(path, { a: '1' })
      const left = commitFiles(path, { left: '1' })
      const right = commitFiles(path, { right: '1' }, { ref: 'refs/heads/right', parent: base })
      const tree = await treeOf(repository, 'main')
      const merge = git(path, ['commit-tree', tree, '-p', left, '-p', right, '-m', 'merge'], {
        env: { GIT_COMMITTER_DATE: '1990000000 +0000' },
      })
      const root = commitFiles(path, { z: '1' }, { ref: 'refs/heads/unrelated', parent: null })
      return { repository, base, left, right, merge, root }
    }

    it('lists commits newest first, without those reachable from another, up to a limit', async () => {
      const { repository, base, left, right, merge } = await history()
      const oids = async (from: string | null, to: string, limit = 100) =>
        (await repository.log(from, to, limit)).map(({ oid }) => oid)
      expect(await oids(null, merge)).toEqual([merge, right, left, base])
      expect(await oids(left, merge)).toEqual([merge, right])
      expect(await oids(null, merge, 2)).toEqual([merge, right])
      expect(await oids(merge, merge)).toEqual([])
      expect(await oids(merge, base)).toEqual([])
      expect(await refOf(repository.log('e'.repeat(40), merge, 10))).toBe('SW_REV_MISSING')
    })

    it('knows merge bases and ancestors', async () => {
      const { repository, base, left, right, merge, root } = await history()
      expect(await repository.mergeBase(left, right)).toBe(base)
      expect(await repository.mergeBase(merge, right)).toBe(right)
      expect(await repository.mergeBase(left, root)).toBe(null)
      expect(await repository.isAncestor(base, merge)).toBe(true)
      expect(await repository.isAncestor(base, base)).toBe(true)
      expect(await repository.isAncestor(merge, base)).toBe(false)
      expect(await repository.isAncestor(left, right)).toBe(false)
      expect(await refOf(repository.isAncestor('e'.repeat(40), base))).toBe('SW_REV_MISSING')
      expect(await refOf(repository.mergeBase(base, 'e'.repeat(40)))).toBe('SW_REV_MISSING')
    })
  })

  describe('writing commits', () => {
    it('writes files, keeps the rest, keeps the executable bit, and leaves a repository git finds sound', async () => {
      const { path, repository } = await made()
      const first = commitFiles(path, {
        keep: '1',
        'bin/run': { mode: '100755', content: 'x' },
        'old/only': '1',
        link: { mode: '120000', content: 'keep' },
      })
      const commit = await repository.writeCommit(
        change({
          parent: first,
          message: 'Subject\n\nBody\n\n\n',
          files: new Map<string, string | Uint8Array | null>([
            ['bin/run', 'y'],
            ['new/ü \n".yaml', 'z'],
            ['old/only', null],
            ['never/there', null],
            ['bytes', new Uint8Array([0, 255, 10])],
          ]),
        }),
      )
      expect(tipOf(path, 'refs/heads/main')).toBe(commit)
      expect(
        git(path, ['ls-tree', '-r', '-z', commit])
          .split('\0')
          .map((line) => line.replace(/ blob \w+\t/, ' ')),
      ).toEqual(['100755 bin/run', '100644 bytes', '100644 keep', '120000 link', '100644 new/ü \n".yaml', ''])
      expect(git(path, ['cat-file', '-p', commit]).split('\n').slice(1)).toEqual([
        `parent ${first}`,
        'author Stateward <stateward@example.org> 1772359200 +0000',
        'committer Stateward <stateward@example.org> 1772359200 +0000',
        '',
        'Subject',
        '',
        'Body',
      ])
      expect(await repository.readFile('refs/heads/main', 'bytes', { maxBytes: 10 })).toEqual(Buffer.from([0, 255, 10]))
      git(path, ['fsck', '--strict'])
      expect(readdirSync(join(path, 'refs')).sort()).toEqual(['heads', 'tags'])
    })

    it('starts orphan branches and notes, which git shows', async () => {
      const { path, repository } = await made()
      const head = commitFiles(path, { a: '1' })
      const status = await repository.writeCommit(
        change({
          ref: 'refs/heads/stateward/status',
          parent: null,
          files: new Map([['default/agents/sre.yaml', 'status: {}\n']]),
        }),
      )
      const again = await repository.writeCommit(
        change({
          ref: 'refs/heads/stateward/status',
          parent: status,
          files: new Map([['default/agents/sre.yaml', 'status: {a: 1}\n']]),
        }),
      )
      expect((await repository.commit(again)).parents).toEqual([status])
      expect((await repository.commit(status)).parents).toEqual([])
      await repository.writeCommit(
        change({ ref: 'refs/notes/stateward', parent: null, files: new Map([[head, 'applied\n']]) }),
      )
      expect(git(path, ['notes', '--ref', 'stateward', 'show', head])).toBe('applied')
      expect(tipOf(path, 'refs/heads/main')).toBe(head)
    })

    it('starts a branch on top of a commit, and takes the tree of another one', async () => {
      const { path, repository } = await made()
      const first = commitFiles(path, { a: '1', b: '1' })
      const second = commitFiles(path, { a: '2' })
      const proposal = await repository.writeCommit(
        change({ ref: 'refs/heads/proposals/x', parent: second, expected: null, files: new Map([['c', '1']]) }),
      )
      expect((await repository.commit(proposal)).parents).toEqual([second])
      const reverted = await repository.writeCommit(change({ parent: second, base: first }))
      expect((await repository.commit(reverted)).tree).toBe((await repository.commit(first)).tree)
      const fresh = await repository.writeCommit(
        change({ parent: reverted, base: null, files: new Map([['only', '1']]) }),
      )
      expect(paths(await repository.diff(null, (await repository.commit(fresh)).tree))).toEqual(['+only'])
      const emptied = await repository.writeCommit(change({ parent: fresh, files: new Map([['only', null]]) }))
      expect(await repository.diff(null, (await repository.commit(emptied)).tree)).toEqual([])
    })

    it('lets a file become a folder and a folder a file, in any order of the request', async () => {
      const { repository } = await made()
      const first = await repository.writeCommit(
        change({
          parent: null,
          files: new Map([
            ['a', '1'],
            ['b/c', '1'],
          ]),
        }),
      )
      const second = await repository.writeCommit(
        change({
          parent: first,
          files: new Map([
            ['a/deep', '1'],
            ['a', null],
            ['b', 'file'],
            ['b/c', null],
          ]),
        }),
      )
      expect(paths(await repository.diff(null, (await repository.commit(second)).tree))).toEqual(['+a/deep', '+b'])
    })

    it('moves a ref only from where it was said to be, loose or packed', async () => {
      const { path, repository } = await made()
      const first = commitFiles(path, { a: '1' })
      const second = commitFiles(path, { a: '2' })
      expect(await refOf(repository.writeCommit(change({ parent: first, files: new Map([['a', '3']]) })))).toBe(
        'SW_CONFLICT',
      )
      expect(await refOf(repository.writeCommit(change({ parent: null })))).toBe('SW_CONFLICT')
      expect(await refOf(repository.writeCommit(change({ ref: 'refs/heads/none', parent: second })))).toBe(
        'SW_CONFLICT',
      )
      expect(await refOf(repository.writeCommit(change({ parent: 'e'.repeat(40), expected: second })))).toBe(
        'SW_REV_MISSING',
      )
      expect(tipOf(path, 'refs/heads/main')).toBe(second)
      git(path, ['pack-refs', '--all'])
      const third = await repository.writeCommit(change({ parent: second }))
      expect(tipOf(path, 'refs/heads/main')).toBe(third)
    })

    it('lets exactly one of several writers at once win', async () => {
      const { path, repository } = await made()
      const parent = commitFiles(path, { a: '0' })
      const other = await open(path)
      const results = await Promise.allSettled(
        Array.from({ length: 6 }, (_, n) =>
          (n % 2 === 0 ? repository : other).writeCommit(change({ parent, files: new Map([['a', `${n}`]]) })),
        ),
      )
      const won = results.filter((result) => result.status === 'fulfilled')
      expect(won).toHaveLength(1)
      expect(
        results.filter((result) => result.status === 'rejected').map(({ reason }) => (reason as { ref: string }).ref),
      ).toEqual(Array(5).fill('SW_CONFLICT'))
      expect(tipOf(path, 'refs/heads/main')).toBe(won[0]!.value)
    })

    it('writes different refs at the same time', async () => {
      const { path, repository } = await made()
      const parent = commitFiles(path, { a: '0' })
      const refs = Array.from({ length: 4 }, (_, n) => `refs/heads/proposals/p${n}`)
      const oids = await Promise.all(
        refs.map((ref) =>
          repository.writeCommit(change({ ref, parent, expected: null, files: new Map([['a', ref]]) })),
        ),
      )
      expect(refs.map((ref) => tipOf(path, ref))).toEqual(oids)
    })

    it('fails with the name of the lock while another process holds the ref', async () => {
      const { path, repository } = await made()
      const parent = commitFiles(path, { a: '0' })
      writeFileSync(join(path, 'refs/heads/main.lock'), '')
      await expect(repository.writeCommit(change({ parent }))).rejects.toMatchObject({
        ref: 'SW_GIT_FAILED',
        message: expect.stringContaining('main.lock'),
      })
      rmSync(join(path, 'refs/heads/main.lock'))
      await repository.writeCommit(change({ parent }))
    })

    it('refuses paths and refs git would not take', async () => {
      const { repository } = await made()
      for (const name of ['', '/a', 'a/', 'a//b', '../a', 'a/./b', '.git/config', 'a/.GIT/x', 'a\0b']) {
        expect(await refOf(repository.writeCommit(change({ parent: null, files: new Map([[name, 'x']]) }))), name).toBe(
          'SW_PATH_ESCAPES',
        )
      }
      const both = new Map([
        ['a', 'file'],
        ['a/b/c', 'and folder'],
      ])
      expect(await refOf(repository.writeCommit(change({ parent: null, files: both })))).toBe('SW_PATH_ESCAPES')
      for (const ref of [
        'main',
        'refs/heads/a b',
        'refs/heads/../x',
        'refs/heads/x.lock',
        'refs/heads/x\nupdate refs/heads/y',
      ])
        expect(await refOf(repository.writeCommit(change({ ref, parent: null }))), ref).toBe('SW_REPO_INVALID')
    })

    it('keeps names and messages from breaking the commit', async () => {
      const { path, repository } = await made()
      const oid = await repository.writeCommit(
        change({
          parent: null,
          author: { name: 'Eve <x>\nparent 123', email: 'e<v>\ne@x' },
          message: 'a\0b',
          files: new Map([['a', '1']]),
        }),
      )
      git(path, ['fsck', '--strict'])
      expect(await repository.commit(oid)).toMatchObject({
        parents: [],
        author: { name: 'Eve xparent 123', email: 'eve@x' },
        message: 'ab\n',
      })
    })

    it('seeds a repository with the files of a directory', async () => {
      const directory = join(scratch.path, `seed-${++counter}`)
      await mkdir(join(directory, 'agents', '.git'), { recursive: true })
      writeFileSync(join(directory, 'README.md'), 'hello')
      writeFileSync(join(directory, 'agents/run.sh'), '#!/bin/sh', { mode: 0o755 })
      writeFileSync(join(directory, 'agents/.git/config'), 'not ours')
      writeFileSync(join(directory, '.statewardignore'), '*.md')
      const path = freshPath('seeded')
      await initBareRepository(path, { defaultBranch: 'trunk' })
      const repository = await open(path)
      const request = {
        repo: repository,
        directory,
        ref: 'refs/heads/trunk',
        message: 'Start',
        author: PERSON,
        time: TIME,
      }
      const commit = await seedRepository(request)
      expect(
        git(path, ['ls-tree', '-r', 'HEAD'])
          .split('\n')
          .map((line) => line.replace(/ blob \w+\t/, ' ')),
      ).toEqual(['100644 .statewardignore', '100644 README.md', '100755 agents/run.sh'])
      expect(await repository.resolve('HEAD')).toBe(commit)
      expect(await refOf(seedRepository(request))).toBe('SW_CONFLICT')
      symlinkSync('README.md', join(directory, 'link'))
      expect(await refOf(seedRepository({ ...request, ref: 'refs/heads/other' }))).toBe('SW_REPO_INVALID')
      expect(await refOf(initBareRepository(path))).toBe('SW_REPO_INVALID')
    })
  })

  describe('remotes', () => {
    let http: GitServer
    let locked: GitServer
    const remotes = join(scratch.path, `remotes-${adapter}`)
    const fetched = { timeoutMs: 30_000 }
    beforeAll(async () => {
      await mkdir(remotes, { recursive: true })
      http = await serveHttp(remotes)
      locked = await serveHttp(remotes, { password: 's3cret/@' })
    })
    afterAll(async () => {
      await http.close()
      await locked.close()
    })
    const pair = async () => {
      const name = `remote-${++counter}.git`
      const remote = bareRepository(join(remotes, name))
      const { path, repository } = await made()
      return { name, remote, path, repository, url: http.url(name) }
    }

    it('lists refs of a remote, none of an empty one', async () => {
      const { repository, remote, url } = await pair()
      const patterns = ['refs/heads/main', 'refs/heads/team/*']
      expect([...(await repository.listRemote({ url, patterns, ...fetched }))]).toEqual([])
      const oid = commitFiles(remote, { a: '1' })
      commitFiles(remote, { a: '1' }, { ref: 'refs/heads/team/refs/heads/main' })
      commitFiles(remote, { a: '1' }, { ref: 'refs/heads/x/refs/heads/main' })
      const found = await repository.listRemote({ url, patterns, ...fetched })
      expect([...found.keys()].sort()).toEqual(['refs/heads/main', 'refs/heads/team/refs/heads/main'])
      expect(found.get('refs/heads/main')).toBe(oid)
    })

    it('fetches branches, tags and notes, follows a force-push, and drops what is gone', async () => {
      const { repository, remote, url } = await pair()
      const first = commitFiles(remote, { 'a/b': '1' })
      git(remote, ['tag', '-a', '-m', 'tag', 'v1', first])
      git(remote, ['notes', '--ref', 'stateward', 'add', '-m', 'applied', first])
      commitFiles(remote, { x: '1' }, { ref: 'refs/heads/short-lived' })
      const refspecs = [
        '+refs/heads/*:refs/heads/*',
        '+refs/notes/stateward:refs/notes/stateward',
        '+refs/tags/*:refs/tags/*',
      ]
      await repository.fetch({ url, refspecs, ...fetched })
      expect(await repository.resolve('main')).toBe(first)
      expect(await repository.resolve('v1')).toBe(first)
      expect(await repository.readFile('refs/heads/main', 'a/b', { maxBytes: 9 })).toEqual(Buffer.from('1'))
      expect(
        Buffer.from((await repository.readFile('refs/notes/stateward', first, { maxBytes: 99 }))!).toString(),
      ).toBe('applied\n')

      const second = commitFiles(remote, { 'a/b': '2' })
      git(remote, ['update-ref', '-d', 'refs/heads/short-lived'])
      await repository.fetch({ url, refspecs, ...fetched })
      expect(await repository.resolve('main')).toBe(second)
      expect(await repository.resolve('short-lived')).toBe(null)
      expect((await repository.log(first, second, 10)).map(({ oid }) => oid)).toEqual([second])

      const rewritten = commitFiles(remote, { 'a/b': '3' }, { parent: null })
      await repository.fetch({ url, refspecs, ...fetched })
      expect(await repository.resolve('main')).toBe(rewritten)
    })

    it('does not rewrite history without a plus, and tells a missing ref', async () => {
      const { repository, remote, url } = await pair()
      const first = commitFiles(remote, { a: '1' })
      await repository.fetch({ url, refspecs: ['refs/heads/main:refs/heads/main'], ...fetched })
      commitFiles(remote, { a: '2' }, { parent: null })
      expect(await refOf(repository.fetch({ url, refspecs: ['refs/heads/main:refs/heads/main'], ...fetched }))).toBe(
        'SW_CONFLICT',
      )
      expect(await repository.resolve('main')).toBe(first)
      expect(await refOf(repository.fetch({ url, refspecs: ['+refs/heads/nope:refs/heads/nope'], ...fetched }))).toBe(
        'SW_REF_MISSING',
      )
      expect(await refOf(repository.fetch({ url, refspecs: ['--upload-pack=x'], ...fetched }))).toBe('SW_GIT_FAILED')
    })

    it('sends credentials of the URL and never shows them', async () => {
      const { repository, remote, name } = await pair()
      const oid = commitFiles(remote, { a: '1' })
      const withUser = (password: string) =>
        locked.url(name).replace('http://', `http://ada:${encodeURIComponent(password)}@`)
      await repository.fetch({ url: withUser('s3cret/@'), refspecs: ['+refs/heads/main:refs/heads/main'], ...fetched })
      expect(await repository.resolve('main')).toBe(oid)
      for (const url of [withUser('wrong-password'), locked.url(name)]) {
        const error = await repository
          .listRemote({ url, patterns: ['refs/heads/main'], ...fetched })
          .catch((reason: Error) => reason)
        expect(error).toMatchObject({ ref: 'SW_SOURCE_UNREACHABLE' })
        expect((error as Error).message).not.toContain('wrong-password')
      }
    })

    it('says that a remote cannot be reached, or does not answer in time', async () => {
      const { repository } = await made()
      const refspecs = ['+refs/heads/main:refs/heads/main']
      const closed = await serveHttp(remotes)
      const url = closed.url('gone.git')
      await closed.close()
      expect(await refOf(repository.listRemote({ url, patterns: ['refs/heads/main'], ...fetched }))).toBe(
        'SW_SOURCE_UNREACHABLE',
      )
      expect(await refOf(repository.fetch({ url, refspecs, ...fetched }))).toBe('SW_SOURCE_UNREACHABLE')
      expect(await refOf(repository.fetch({ url: http.url('not-there.git'), refspecs, ...fetched }))).toBe(
        'SW_SOURCE_UNREACHABLE',
      )
      const silent = createServer(() => {}).listen(0, '127.0.0.1')
      await once(silent, 'listening')
      const { port } = silent.address() as AddressInfo
      expect(
        await refOf(
          repository.listRemote({
            url: `http://127.0.0.1:${port}/x.git`,
            patterns: ['refs/heads/main'],
            timeoutMs: 300,
          }),
        ),
      ).toBe('SW_SOURCE_UNREACHABLE')
      silent.close()
    })

    // Not `runIf`: what an adapter cannot do is no test of it, and no skipped one either.
    if (canPush) {
      it('pushes all refs or none, and tells when the remote moved on', async () => {
        const { repository, remote, url } = await pair()
        const base = commitFiles(remote, { a: '1' })
        await repository.fetch({ url, refspecs: ['+refs/heads/main:refs/heads/main'], ...fetched })
        const ours = await repository.writeCommit(change({ parent: base, files: new Map([['a', 'ours']]) }))
        const note = await repository.writeCommit(
          change({ ref: 'refs/notes/stateward', parent: null, files: new Map([[base, 'n']]) }),
        )
        const refspecs = ['refs/heads/main:refs/heads/main', 'refs/notes/stateward:refs/notes/stateward']
        await repository.push({ url, refspecs, ...fetched })
        expect([tipOf(remote, 'refs/heads/main'), tipOf(remote, 'refs/notes/stateward')]).toEqual([ours, note])

        const theirs = commitFiles(remote, { a: 'theirs' })
        await repository.writeCommit(change({ parent: ours, files: new Map([['a', 'again']]) }))
        await repository.writeCommit(
          change({ ref: 'refs/notes/stateward', parent: note, files: new Map([[base, 'm']]) }),
        )
        expect(await refOf(repository.push({ url, refspecs, ...fetched }))).toBe('SW_CONFLICT')
        expect([tipOf(remote, 'refs/heads/main'), tipOf(remote, 'refs/notes/stateward')]).toEqual([theirs, note])
        expect(await refOf(repository.push({ url, refspecs: ['+refs/heads/main:refs/heads/main'], ...fetched }))).toBe(
          'SW_GIT_FAILED',
        )
        expect(await refOf(repository.push({ url, refspecs: [':refs/heads/main'], ...fetched }))).toBe('SW_GIT_FAILED')
      })

      it('gives what the remote said when its hook refuses a push', async () => {
        const { repository, remote, url } = await pair()
        const base = commitFiles(remote, { a: '1' })
        await mkdir(join(remote, 'hooks'), { recursive: true })
        writeFileSync(join(remote, 'hooks/pre-receive'), '#!/bin/sh\necho only reviewers may push >&2\nexit 1\n', {
          mode: 0o755,
        })
        await repository.fetch({ url, refspecs: ['+refs/heads/main:refs/heads/main'], ...fetched })
        await repository.writeCommit(change({ parent: base }))
        await expect(
          repository.push({ url, refspecs: ['refs/heads/main:refs/heads/main'], ...fetched }),
        ).rejects.toMatchObject({ ref: 'SW_GIT_FAILED', message: expect.stringContaining('only reviewers may push') })
        expect(
          await refOf(
            repository.push({
              url: http.url('not-there.git'),
              refspecs: ['refs/heads/main:refs/heads/main'],
              ...fetched,
            }),
          ),
        ).toBe('SW_SOURCE_UNREACHABLE')
      })
    } else {
      it('asks for the git binary to push', async () => {
        const { repository, url } = await pair()
        expect(await refOf(repository.push({ url, refspecs: ['refs/heads/main:refs/heads/main'], ...fetched }))).toBe(
          'SW_GIT_BINARY_REQUIRED',
        )
      })
    }

    it('reaches file remotes with the git binary only', async () => {
      const { repository, remote } = await pair()
      const oid = commitFiles(remote, { a: '1' })
      const request = { url: `file://${remote}`, refspecs: ['+refs/heads/main:refs/heads/main'], ...fetched }
      expect(await refOf(repository.fetch(request))).toBe(canFile ? 'no error' : 'SW_GIT_BINARY_REQUIRED')
      expect(await repository.resolve('main')).toBe(canFile ? oid : null)
    })

    const client = requires('ssh')
    it.skipIf(!client.available)(
      `reaches ssh remotes with the git binary only${client.available ? '' : ` (skipped: ${client.reason})`}`,
      async () => {
        const { remote, name, path } = await pair()
        const base = commitFiles(remote, { a: '1' })
        const ssh = await serveSsh(remotes, scratch.path)
        try {
          const repository = await open(path, ssh.environment)
          const url = ssh.url(name)
          const fetching = refOf(repository.fetch({ url, refspecs: ['+refs/heads/main:refs/heads/main'], ...fetched }))
          expect(await fetching).toBe(canSsh ? 'no error' : 'SW_GIT_BINARY_REQUIRED')
          if (!canSsh) return
          const commit = await repository.writeCommit(change({ parent: base, files: new Map([['a', 'over ssh']]) }))
          await repository.push({ url, refspecs: ['refs/heads/main:refs/heads/main'], ...fetched })
          expect(tipOf(remote, 'refs/heads/main')).toBe(commit)
          const stranger = await open(path, {
            PATH: process.env['PATH'] ?? '',
            GIT_SSH_COMMAND:
              'ssh -F /dev/null -i /dev/null -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes',
          })
          expect(await refOf(stranger.listRemote({ url, patterns: ['refs/heads/main'], ...fetched }))).toBe(
            'SW_SOURCE_UNREACHABLE',
          )
        } finally {
          await ssh.close()
        }
      },
    )
  })

  describe('opening', () => {
    it('refuses what is no repository', async () => {
      const folder = join(scratch.path, 'plain')
      await mkdir(folder, { recursive: true })
      writeFileSync(join(scratch.path, 'a-file'), '')
      for (const path of [folder, join(scratch.path, 'nowhere'), join(scratch.path, 'a-file')])
        expect(await refOf(openRepository({ gitDir: path, adapter })), path).toBe('SW_REPO_INVALID')
    })

    it('opens a work tree by its folder', async () => {
      const { path } = await made()
      const oid = commitFiles(path, { a: '1' })
      const work = join(scratch.path, `work-${++counter}`)
      git(scratch.path, ['clone', '--quiet', path, work])
      const repository = await open(work)
      expect(repository.gitDir).toBe(join(work, '.git'))
      expect(await repository.resolve('HEAD')).toBe(oid)
    })

    it(
      canSha256
        ? 'works on sha256 repositories and linked work trees'
        : 'asks for the git binary for sha256 repositories and linked work trees',
      async () => {
        const { path } = await made()
        commitFiles(path, { a: '1' })
        const linked = join(scratch.path, `linked-${++counter}`)
        git(path, ['worktree', 'add', '--quiet', linked, 'main'])
        const sha256 = freshPath('sha256')
        git(scratch.path, ['init', '--quiet', '--bare', '--object-format=sha256', sha256])
        if (!canSha256) {
          expect(await refOf(open(linked))).toBe('SW_GIT_BINARY_REQUIRED')
          expect(await refOf(open(sha256))).toBe('SW_GIT_BINARY_REQUIRED')
          return
        }
        expect(await (await open(linked)).resolve('HEAD')).toBe(tipOf(path, 'refs/heads/main'))
        const repository = await open(sha256)
        const oid = await repository.writeCommit(change({ parent: null, files: new Map([['a/b', '1']]) }))
        expect(oid).toHaveLength(64)
        expect(paths(await repository.diff(null, (await repository.commit(oid)).tree))).toEqual(['+a/b'])
      },
    )
  })
})

describe('both adapters', () => {
  it('make the same commit out of the same request', async () => {
    const files = new Map<string, string | null>([
      ['b/ü.yaml', '1'],
      ['a.yaml', '2'],
      ['a/x', '3'],
      ['a-b', '4'],
      ['run', '5'],
    ])
    const oids: string[][] = []
    for (const { adapter } of ADAPTERS) {
      const path = freshPath('same')
      await initBareRepository(path)
      const repository = await openRepository({ gitDir: path, adapter })
      const first = await repository.writeCommit(
        change({ parent: null, files, executable: new Set(['run']), message: 'Ä\n\nbody\n\n' }),
      )
      const second = await repository.writeCommit(
        change({
          parent: first,
          files: new Map([
            ['a/x', null],
            ['b/y', ''],
          ]),
        }),
      )
      oids.push([first, second])
      await repository.close()
    }
    expect(oids[0]).toEqual(oids[1])
  })
})

describe('choosing an adapter', () => {
  it('takes the git binary where it is, isomorphic-git where it is not, and refuses a missing one that was asked for', async () => {
    const path = bareRepository(freshPath())
    const found = await openRepository({ gitDir: path })
    const without = await openRepository({ gitDir: path, gitBinary: 'no-such-git' })
    expect([found.adapter, without.adapter]).toEqual(['git', 'isomorphic-git'])
    expect(await refOf(openRepository({ gitDir: path, adapter: 'git', gitBinary: 'no-such-git' }))).toBe(
      'SW_GIT_BINARY_REQUIRED',
    )
    const old = join(scratch.path, 'old-git')
    writeFileSync(old, '#!/bin/sh\necho git version 2.30.2\n', { mode: 0o755 })
    expect(await refOf(openRepository({ gitDir: path, adapter: 'git', gitBinary: old }))).toBe('SW_GIT_BINARY_REQUIRED')
    expect((await openRepository({ gitDir: path, gitBinary: old })).adapter).toBe('isomorphic-git')
    await found.close()
  })
})

describe('children of the git adapter', () => {
  it('are started again when they were killed, and are gone after close', async () => {
    const path = bareRepository(freshPath())
    commitFiles(path, { a: '1' })
    const repository = await openRepository({ gitDir: path, adapter: 'git' })
    const tree = (await repository.commit((await repository.resolve('main'))!)).tree
    await repository.diff(null, tree)
    const before = childrenOn(path)
    expect(before).toHaveLength(2)
    for (const pid of before) process.kill(pid, 'SIGKILL')
    expect(paths(await repository.diff(null, tree))).toEqual(['+a'])
    expect(await repository.resolve('main')).not.toBe(null)
    const asked = repository.resolve('main')
    await repository.close()
    await asked.catch(() => undefined)
    expect(childrenOn(path)).toEqual([])
    expect(await refOf(repository.resolve('main'))).toBe('SW_CANCELLED')
  })

  it('see nothing of the environment that could lead them elsewhere', async () => {
    const path = bareRepository(freshPath())
    const oid = commitFiles(path, { a: '1' })
    const elsewhere = bareRepository(freshPath())
    const repository = await openRepository({
      gitDir: path,
      adapter: 'git',
      environment: {
        ...process.env,
        GIT_DIR: elsewhere,
        GIT_OBJECT_DIRECTORY: join(elsewhere, 'objects'),
        GIT_INDEX_FILE: '/x',
      },
    })
    expect(await repository.resolve('main')).toBe(oid)
    expect(await repository.log(null, oid, 1)).toHaveLength(1)
    await repository.close()
  })
})

/** Pids of git processes that work on a repository. */
function childrenOn(path: string): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,args=']).toString().split('\n')
  return lines.filter((line) => line.includes(`--git-dir=${path}`)).map((line) => Number.parseInt(line, 10))
}

describe('merging with the git binary', () => {
  const opened: GitRepository[] = []
  afterEach(async () => {
    for (const repository of opened.splice(0)) await repository.close()
  })
  async function forked(theirs: Record<string, string>, ours: Record<string, string>) {
    const path = bareRepository(freshPath())
    const base = commitFiles(path, { 'a.txt': 'one\n', 'b.txt': 'two\n' })
    const branch = commitFiles(path, theirs, { ref: 'refs/heads/branch', parent: base })
    const main = commitFiles(path, ours)
    const repository = await openRepository({ gitDir: path, adapter: 'git' })
    opened.push(repository)
    return { path, repository, base, branch, main }
  }

  it('gives the tree of both, and a commit of it that git reads', async () => {
    const { path, repository, branch, main } = await forked({ 'a.txt': 'changed\n' }, { 'b.txt': 'changed, too\n' })
    const { tree, conflicts } = await repository.mergeTrees(main, branch)
    expect(conflicts).toEqual([])
    const author = { name: 'agent:default/sre', email: 'sre@example.org' }
    const commit = await repository.commitTree({
      ...{ tree, parents: [main, branch], message: 'Merge it', author, committer: PERSON, time: TIME },
    })
    await repository.moveRef({ ref: 'refs/heads/main', to: commit, expected: main })
    expect(git(path, ['show', 'main:a.txt'])).toBe('changed')
    expect(git(path, ['log', '-1', '--format=%an|%cn|%P', 'main'])).toBe(
      `agent:default/sre|Stateward|${main} ${branch}`,
    )
    expect(git(path, ['fsck', '--strict'])).not.toContain('error')
  })

  it('names what both sides changed', async () => {
    const { repository, branch, main } = await forked({ 'a.txt': 'x\n', 'b.txt': 'y\n' }, { 'a.txt': 'z\n' })
    expect((await repository.mergeTrees(main, branch)).conflicts).toEqual(['a.txt'])
  })

  it('moves a ref only from where it is thought to be', async () => {
    const { path, repository, base, branch, main } = await forked({ 'a.txt': 'x\n' }, { 'b.txt': 'z\n' })
    const ref = 'refs/heads/branch'
    expect(await refOf(repository.moveRef({ ref, to: main, expected: base }))).toBe('SW_CONFLICT')
    expect(await refOf(repository.moveRef({ ref, to: null, expected: base }))).toBe('SW_CONFLICT')
    expect(await refOf(repository.moveRef({ ref, to: main, expected: null }))).toBe('SW_CONFLICT')
    expect(await refOf(repository.moveRef({ ref: 'branch', to: main, expected: null }))).toBe('SW_REPO_INVALID')
    await repository.moveRef({ ref, to: null, expected: branch })
    expect(tipOf(path, ref)).toBeNull()
    await repository.moveRef({ ref, to: base, expected: null })
    expect(tipOf(path, ref)).toBe(base)
  })

  it('shows changed lines, as many as fit', async () => {
    const { repository, base, branch } = await forked({ 'a.txt': `${'x\n'.repeat(50_000)}` }, { 'b.txt': 'z\n' })
    const whole = await repository.patch(base, branch, { maxBytes: 10_000_000 })
    expect(whole).toMatchObject({ truncated: false, text: expect.stringContaining('+++ b/a.txt') })
    const cut = await repository.patch(base, branch, { maxBytes: 1000 })
    expect(cut.truncated).toBe(true)
    expect(cut.text).toBe(whole.text.slice(0, 1000))
    expect(await refOf(repository.patch(base, 'f'.repeat(40), { maxBytes: 1000 }))).toBe('SW_GIT_FAILED')
  })

  it('is what isomorphic-git leaves to it', async () => {
    const { path, main } = await forked({ 'a.txt': 'x\n' }, { 'b.txt': 'z\n' })
    const repository = await openRepository({ gitDir: path, adapter: 'isomorphic-git' })
    opened.push(repository)
    expect(await refOf(repository.mergeTrees(main, main))).toBe('SW_GIT_BINARY_REQUIRED')
    expect(await refOf(repository.patch(main, main, { maxBytes: 1 }))).toBe('SW_GIT_BINARY_REQUIRED')
  })
})
