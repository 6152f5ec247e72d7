import { existsSync, rmSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { GitSource, GitSourceConfig } from '../../src/source/git/git-source.ts'
import { openGitSource } from '../../src/source/git/git-source.ts'
import { silentLog } from '../../src/source/log.ts'
import type { Source } from '../../src/source/ports.ts'
import type { GitServer } from '../support/git-remote.ts'
import { bareRepository, commitFiles, git, scratchFolder, serveHttp } from '../support/git-remote.ts'

const scratch = scratchFolder()
const remotes = join(scratch.path, 'remotes')
let http: GitServer
beforeAll(async () => {
  await mkdir(remotes)
  http = await serveHttp(remotes)
})
afterAll(async () => {
  await http.close()
  scratch.remove()
})

const closing: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const open of closing.splice(0).reverse()) await open.close()
})

let counter = 0
const repositoryPath = () => bareRepository(join(remotes, `repo-${++counter}.git`))
const open = async (repo: string, config: Partial<GitSourceConfig> = {}): Promise<GitSource> => {
  const source = await openGitSource({
    name: 'test',
    repo,
    ref: 'main',
    intervalMs: 20,
    mirrorDir: join(scratch.path, `mirror-${++counter}.git`),
    log: silentLog,
    random: () => 0,
    ...config,
  })
  closing.push(source)
  return source
}
const visible = async (source: Source, from: string | null, to: string) =>
  Object.fromEntries((await source.changes(from, to)).map(({ path, to: file }) => [path, file?.mode ?? null]))
const contents = async (source: Source, tree: string) => {
  const files = (await source.changes(null, tree)).map(({ to }) => to!)
  const found: Record<string, string | null> = {}
  for await (const { file, bytes } of source.read(files, { maxBytes: 100 }))
    found[file.path] = bytes === null ? null : Buffer.from(bytes).toString()
  return found
}
const failure = async (work: Promise<unknown>): Promise<{ ref: string; message: string; remedy: string }> => {
  try {
    await work
  } catch (error) {
    return error as { ref: string; message: string; remedy: string }
  }
  throw new Error('nothing failed')
}
/** Resolves with the next call of a watch. */
const watching = async (source: Source) => {
  let calls = 0
  let wake: () => void = () => {}
  const watch = await source.watch(() => {
    calls++
    wake()
  })
  closing.push(watch)
  return {
    calls: () => calls,
    async next(after = calls) {
      while (calls <= after) await new Promise<void>((resolve) => (wake = resolve))
    },
  }
}

describe('a local repository', () => {
  it('is read in place, by path or file URL, without a mirror', async () => {
    const repo = repositoryPath()
    const commit = commitFiles(
      repo,
      { 'agents/a.yaml': 'a', 'run.sh': { mode: '100755', content: 'x' } },
      { message: 'Start' },
    )
    for (const address of [repo, pathToFileURL(repo).href]) {
      const source = await open(address)
      const head = await source.head()
      expect(head).toMatchObject({ commit, message: 'Start\n', author: { name: 'Ada' } })
      expect(await visible(source, null, head.tree)).toEqual({ 'agents/a.yaml': '100644', 'run.sh': '100755' })
      expect(await contents(source, head.tree)).toEqual({ 'agents/a.yaml': 'a', 'run.sh': 'x' })
      expect(source.remote).toBe(null)
      expect(source.repository.gitDir).toBe(repo)
    }
  })

  it('gives what changed between two heads', async () => {
    const repo = repositoryPath()
    commitFiles(repo, { a: '1', b: '1', c: '1' })
    const source = await open(repo)
    const before = await source.head()
    commitFiles(repo, { a: '2', b: null, d: '1' })
    const after = await source.head()
    expect(await visible(source, before.tree, after.tree)).toEqual({ a: '100644', b: null, d: '100644' })
    expect(await source.changes(after.tree, after.tree)).toEqual([])
    expect(await visible(source, after.tree, before.tree)).toEqual({ a: '100644', b: '100644', d: null })
  })

  it('follows a directory of the repository, an oid, a tag and a full name', async () => {
    const repo = repositoryPath()
    const first = commitFiles(repo, { 'env/prod/a.yaml': '1', other: '1' })
    git(repo, ['tag', '-a', '-m', 'v1', 'v1'])
    commitFiles(repo, { 'env/prod/a.yaml': '2' })
    const below = await open(repo, { path: './env/prod/' })
    expect(await contents(below, (await below.head()).tree)).toEqual({ 'a.yaml': '2' })
    for (const ref of [first, 'v1', 'refs/tags/v1'])
      expect((await (await open(repo, { ref })).head()).commit, ref).toBe(first)
    expect(await failure((await open(repo, { path: 'nowhere' })).head())).toMatchObject({
      ref: 'SW_REPO_INVALID',
      message: expect.stringContaining('"nowhere"'),
    })
    expect(await failure((await open(repo, { path: 'other' })).head())).toMatchObject({ ref: 'SW_REPO_INVALID' })
    expect(await failure(open(repo, { path: '../x' }))).toMatchObject({ ref: 'SW_CONFIG_INVALID' })
    expect(await failure(open(repo, { ref: 'a b' }))).toMatchObject({ ref: 'SW_CONFIG_INVALID' })
  })

  it('takes the branch when a tag has the same name', async () => {
    const repo = repositoryPath()
    const first = commitFiles(repo, { a: '1' })
    git(repo, ['tag', 'main', first])
    const second = commitFiles(repo, { a: '2' })
    expect((await (await open(repo)).head()).commit).toBe(second)
  })

  it('reports symbolic links and submodules, and never reads them', async () => {
    const repo = repositoryPath()
    commitFiles(repo, {
      link: { mode: '120000', content: '/etc/passwd' },
      module: { mode: '160000', oid: 'c'.repeat(40) },
      plain: '1',
      large: 'x'.repeat(101),
    })
    const source = await open(repo)
    const { tree } = await source.head()
    expect(await visible(source, null, tree)).toEqual({
      link: '120000',
      module: '160000',
      plain: '100644',
      large: '100644',
    })
    expect(await contents(source, tree)).toEqual({ link: null, module: null, plain: '1', large: null })
  })

  it('knows the oid of files and directories', async () => {
    const repo = repositoryPath()
    commitFiles(repo, { 'agents/sre/run.js': '1', a: '1' })
    const source = await open(repo)
    const before = await source.head()
    const directory = await source.oidOf(before.tree, './agents/sre/')
    expect(directory?.mode).toBe('040000')
    expect(await visible(source, null, directory!.oid)).toEqual({ 'run.js': '100644' })
    expect(await source.oidOf(before.tree, '.')).toEqual({ oid: before.tree, mode: '040000' })
    expect(await source.oidOf(before.tree, 'agents/nope')).toBe(null)
    expect(await source.oidOf(before.tree, '../etc')).toBe(null)
    commitFiles(repo, { a: '2' })
    expect(await source.oidOf((await source.head()).tree, 'agents/sre')).toEqual(directory)
    commitFiles(repo, { 'agents/sre/run.js': '2' })
    expect((await source.oidOf((await source.head()).tree, 'agents/sre'))!.oid).not.toBe(directory!.oid)
  })

  it('says what is missing: the branch, every commit, the repository, all files', async () => {
    const repo = repositoryPath()
    const source = await open(repo)
    expect(await failure(source.head())).toMatchObject({
      ref: 'SW_REF_MISSING',
      message: expect.stringContaining('is empty'),
      remedy: expect.stringContaining('git push'),
    })
    const commit = commitFiles(repo, { a: '1' })
    expect((await source.head()).commit).toBe(commit)
    git(repo, ['branch', '-m', 'main', 'trunk'])
    expect(await failure(source.head())).toMatchObject({
      ref: 'SW_REF_MISSING',
      message: expect.stringContaining('there are: trunk'),
    })
    git(repo, ['branch', '-m', 'trunk', 'main'])
    commitFiles(repo, { a: null })
    expect(await failure(source.head())).toMatchObject({
      ref: 'SW_REPO_INVALID',
      message: expect.stringContaining('no files'),
    })
    await rename(repo, `${repo}.away`)
    expect(await failure(source.head())).toMatchObject({ ref: 'SW_REPO_INVALID' })
    await rename(`${repo}.away`, repo)
    expect(await failure(open(join(scratch.path, 'nowhere')))).toMatchObject({ ref: 'SW_REPO_INVALID' })
    expect(await failure(open(remotes))).toMatchObject({ ref: 'SW_REPO_INVALID' })
  })

  it('fails when the commit of the branch is not there', async () => {
    const repo = repositoryPath()
    const commit = commitFiles(repo, { a: '1' })
    rmSync(join(repo, 'objects', commit.slice(0, 2), commit.slice(2)))
    const source = await open(repo)
    expect(await failure(source.head())).toMatchObject({
      ref: 'SW_GIT_FAILED',
      message: expect.stringContaining(commit),
    })
  })

  it('works without the git binary', async () => {
    const repo = repositoryPath()
    const commit = commitFiles(repo, { a: '1', 'd/.statewardignore': '*.tmp', 'd/x.tmp': '1' })
    const source = await open(repo, { adapter: 'isomorphic-git' })
    const head = await source.head()
    expect(head.commit).toBe(commit)
    expect(await contents(source, head.tree)).toEqual({ a: '1' })
    expect(await failure(open('ssh://git@127.0.0.1/x.git', { adapter: 'isomorphic-git' }))).toMatchObject({
      ref: 'SW_GIT_BINARY_REQUIRED',
    })
    expect(await failure(open('git@127.0.0.1:x.git', { gitBinary: 'no-such-git' }))).toMatchObject({
      ref: 'SW_GIT_BINARY_REQUIRED',
    })
  })
})

describe('.statewardignore', () => {
  it('hides files, itself and .git from the source, but not from oidOf', async () => {
    const repo = repositoryPath()
    commitFiles(repo, {
      '.statewardignore': '*.tmp\n/vendor/\n',
      'a.yaml': '1',
      'x.tmp': '1',
      'vendor/b.yaml': '1',
      'd/.statewardignore': '!keep.tmp',
      'd/keep.tmp': '1',
    })
    const source = await open(repo)
    const { tree } = await source.head()
    expect(await visible(source, null, tree)).toEqual({ 'a.yaml': '100644', 'd/keep.tmp': '100644' })
    expect((await source.oidOf(tree, 'vendor'))?.mode).toBe('040000')
  })

  it('shows its change in its effect: hidden files are gone, others appear, unchanged ones do not', async () => {
    const repo = repositoryPath()
    commitFiles(repo, {
      '.statewardignore': 'old.yaml',
      'old.yaml': '1',
      'new.yaml': '1',
      'same.yaml': '1',
      'dir/a.yaml': '1',
    })
    const source = await open(repo)
    const first = await source.head()
    commitFiles(repo, { '.statewardignore': 'new.yaml', 'dir/.statewardignore': '*' })
    const second = await source.head()
    expect(await visible(source, first.tree, second.tree)).toEqual({
      'old.yaml': '100644',
      'new.yaml': null,
      'dir/a.yaml': null,
    })
    commitFiles(repo, { '.statewardignore': null, 'dir/.statewardignore': null, 'same.yaml': '2' })
    const third = await source.head()
    expect(await visible(source, second.tree, third.tree)).toEqual({
      'new.yaml': '100644',
      'dir/a.yaml': '100644',
      'same.yaml': '100644',
    })
    const restarted = await open(repo)
    expect(await visible(restarted, second.tree, third.tree)).toEqual({
      'new.yaml': '100644',
      'dir/a.yaml': '100644',
      'same.yaml': '100644',
    })
  })

  it('keeps hidden files hidden when they change', async () => {
    const repo = repositoryPath()
    commitFiles(repo, { '.statewardignore': 'x.yaml', 'x.yaml': '1', 'y.yaml': '1' })
    const source = await open(repo)
    const first = await source.head()
    commitFiles(repo, { 'x.yaml': '2', 'y.yaml': '2' })
    const second = await source.head()
    expect(await visible(source, first.tree, second.tree)).toEqual({ 'y.yaml': '100644' })
    commitFiles(repo, { 'x.yaml': null })
    expect(await source.changes(second.tree, (await source.head()).tree)).toEqual([])
  })

  it('is an error when it is too large, and is not followed when it is a link', async () => {
    const repo = repositoryPath()
    commitFiles(repo, { rules: '*', '.statewardignore': { mode: '120000', content: 'rules' }, a: '1' })
    const source = await open(repo)
    expect(Object.keys(await visible(source, null, (await source.head()).tree))).toEqual(['a', 'rules'])
    commitFiles(repo, { '.statewardignore': '#'.repeat(1024 * 1024 + 1) })
    expect(await failure(source.changes(null, (await source.head()).tree))).toMatchObject({ ref: 'SW_REPO_INVALID' })
  })
})

describe('watching a local repository', () => {
  it('calls back when the branch moves, is packed and moves, is deleted and comes back', async () => {
    const repo = repositoryPath()
    const first = commitFiles(repo, { a: '1' })
    const source = await open(repo)
    const watch = await watching(source)
    const moves = [
      () => commitFiles(repo, { a: '2' }),
      () => git(repo, ['update-ref', 'refs/heads/main', first]),
      () => git(repo, ['pack-refs', '--all']),
      () => commitFiles(repo, { a: '3' }),
      () => git(repo, ['update-ref', '-d', 'refs/heads/main']),
      () => commitFiles(repo, { a: '4' }),
    ]
    for (const move of moves) {
      const before = watch.calls()
      move()
      await watch.next(before)
    }
    expect((await source.head()).commit).toBe(git(repo, ['rev-parse', 'main']))
  })

  it('calls back for a push', async () => {
    const repo = repositoryPath()
    commitFiles(repo, { a: '1' })
    const work = join(scratch.path, `work-${++counter}`)
    git(scratch.path, ['clone', '--quiet', repo, work])
    git(work, ['commit', '--quiet', '--allow-empty', '-m', 'pushed'])
    const source = await open(repo)
    const watch = await watching(source)
    git(work, ['push', '--quiet'])
    await watch.next(0)
    expect((await source.head()).message).toBe('pushed\n')
  })

  it('sees the first commit of a branch whose folder does not exist yet', async () => {
    const repo = repositoryPath()
    const source = await open(repo, { ref: 'team/a/main' })
    const watch = await watching(source)
    const commit = commitFiles(repo, { a: '1' }, { ref: 'refs/heads/team/a/main' })
    await watch.next(0)
    expect((await source.head()).commit).toBe(commit)
    git(repo, ['pack-refs', '--all', '--prune'])
    expect(existsSync(join(repo, 'refs/heads/team'))).toBe(false)
    const before = watch.calls()
    commitFiles(repo, { a: '2' }, { ref: 'refs/heads/team/a/main' })
    await watch.next(before)
  })

  it('stays silent about other branches and notes', async () => {
    const repo = repositoryPath()
    const head = commitFiles(repo, { a: '1' })
    const source = await open(repo)
    const watch = await watching(source)
    commitFiles(repo, { a: '1' }, { ref: 'refs/heads/stateward/status' })
    commitFiles(repo, { a: '1' }, { ref: 'refs/heads/other' })
    git(repo, ['notes', '--ref', 'stateward', 'add', '-m', 'note', head])
    expect(watch.calls()).toBe(0)
    commitFiles(repo, { a: '2' })
    await watch.next(0)
    expect(watch.calls()).toBe(1)
  })
})

describe.each(['git', 'isomorphic-git'] as const)('a remote through the %s adapter', (adapter) => {
  const remote = async (config: Partial<GitSourceConfig> = {}) => {
    const repo = repositoryPath()
    return { repo, open: () => open(http.url(`repo-${counter}.git`), { adapter, ...config }) }
  }

  it('is kept in a mirror, asked when told to, and also after a restart', async () => {
    const { repo, open: openRemote } = await remote({ mirrorDir: join(scratch.path, `kept-${++counter}.git`) })
    const first = commitFiles(repo, { 'a.yaml': '1' })
    counter = Number(/repo-(\d+)/.exec(repo)![1])
    const source = await openRemote()
    const head = await source.head()
    expect(head.commit).toBe(first)
    expect(await contents(source, head.tree)).toEqual({ 'a.yaml': '1' })
    const second = commitFiles(repo, { 'a.yaml': '2' })
    expect((await source.head()).commit).toBe(first)
    await source.refresh()
    expect((await source.head()).commit).toBe(second)
    expect(await visible(source, head.tree, (await source.head()).tree)).toEqual({ 'a.yaml': '100644' })
    const rewritten = commitFiles(repo, { b: '1' }, { parent: null })
    await source.refresh()
    expect((await source.head()).commit).toBe(rewritten)
  })
})

describe('a remote', () => {
  it('calls back when it moved, when it cannot be reached, and when it is back', async () => {
    const folder = join(scratch.path, 'flaky')
    await mkdir(folder)
    const repo = bareRepository(join(folder, 'repo.git'))
    commitFiles(repo, { a: '1' })
    const server = await serveHttp(folder)
    closing.push(server)
    const source = await open(server.url('repo.git'))
    await source.head()
    const watch = await watching(source)
    const second = commitFiles(repo, { a: '2' })
    await watch.next(0)
    expect((await source.head()).commit).toBe(second)

    const away = watch.calls()
    await rename(repo, `${repo}.away`)
    await watch.next(away)
    expect(await failure(source.head())).toMatchObject({ ref: 'SW_SOURCE_UNREACHABLE' })
    const back = watch.calls()
    await rename(`${repo}.away`, repo)
    await watch.next(back)
    expect((await source.head()).commit).toBe(second)
  })

  it('says when the branch was deleted, or nothing was pushed yet', async () => {
    const repo = repositoryPath()
    const source = await open(http.url(`repo-${counter}.git`))
    expect(await failure(source.head())).toMatchObject({
      ref: 'SW_REF_MISSING',
      message: expect.stringContaining('is empty'),
    })
    commitFiles(repo, { a: '1' })
    await source.refresh()
    await source.head()
    git(repo, ['branch', '-m', 'main', 'trunk'])
    await source.refresh()
    expect(await failure(source.head())).toMatchObject({
      ref: 'SW_REF_MISSING',
      message: expect.stringContaining('there are: trunk'),
    })
  })

  it('sends the secret, and shows it nowhere', async () => {
    const server = await serveHttp(remotes, { password: 'tok/en' })
    closing.push(server)
    const repo = repositoryPath()
    const commit = commitFiles(repo, { a: '1' })
    const url = server.url(`repo-${counter}.git`)
    const source = await open(url, { secret: { username: 'ada', password: 'tok/en' } })
    expect((await source.head()).commit).toBe(commit)
    const denied = await open(url, { secret: { username: 'ada', password: 'guessed' } })
    const { ref, message } = await failure(denied.head())
    expect(ref).toBe('SW_SOURCE_UNREACHABLE')
    expect(message).not.toContain('guessed')
  })
})
