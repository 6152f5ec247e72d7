import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fail } from '../../src/lib/error-catalogue.ts'
import { initBareRepository, openRepository } from '../../src/source/git/open-repository.ts'
import type { GitRepository } from '../../src/source/ports.ts'
import type { StatusRemote } from '../../src/status/ports.ts'
import {
  GitStatusWriter,
  type GitStatusWriterOptions,
  NOTES_REF,
  STATUS_REF,
} from '../../src/status/writers/git-status-writer.ts'
import { bareRepository, commitFiles, git, scratchFolder, serveHttp, tipOf } from '../support/git-remote.ts'

const scratch = scratchFolder()
let server: Awaited<ReturnType<typeof serveHttp>>
const open: GitRepository[] = []
let serial = 0

beforeAll(async () => {
  server = await serveHttp(scratch.path)
})
afterEach(async () => {
  for (const repository of open.splice(0)) await repository.close()
})
afterAll(async () => {
  await server.close()
  scratch.remove()
})

/** A clock that stands until it is moved. */
class SetClock {
  at = Date.UTC(2026, 0, 1)
  now = () => new Date(this.at)
  monotonicMs = () => this.at
}

interface Stand {
  readonly files: Map<string, string>
  readonly notes: Map<string, string>
  readonly clock: SetClock
  readonly writer: GitStatusWriter
  readonly changes: { count: number }
}

function standFor(repository: GitRepository, options: Partial<GitStatusWriterOptions> = {}): Stand {
  const files = new Map<string, string>()
  const notes = new Map<string, string>()
  const clock = new SetClock()
  const changes = { count: 0 }
  const writer = new GitStatusWriter({
    repository,
    remote: null,
    clock,
    controllerId: 'controller-1',
    environment: 'default',
    snapshot: () => files,
    notes: () => notes,
    noted: (commits) => {
      for (const commit of commits) notes.delete(commit)
    },
    position: async () => ({ seq: 42, hash: 'cafe' }),
    revision: () => '1234567890abcdef1234567890abcdef12345678',
    intervalMs: 60_000,
    changed: () => {
      changes.count++
    },
    log: { warn: () => {} },
    ...options,
  })
  return { files, notes, clock, writer, changes }
}

async function localRepository(): Promise<{ path: string; repository: GitRepository }> {
  const path = bareRepository(join(scratch.path, `local-${++serial}.git`))
  const repository = await openRepository({ gitDir: path })
  open.push(repository)
  return { path, repository }
}

const commits = (path: string, ref = STATUS_REF) =>
  tipOf(path, ref) === null ? 0 : Number(git(path, ['rev-list', '--count', ref]))
const tree = (path: string, ref = STATUS_REF) => git(path, ['ls-tree', '-r', '--name-only', ref]).split('\n')
const show = (path: string, file: string, ref = STATUS_REF) => git(path, ['show', `${ref}:${file}`])

describe('in a repository in place', () => {
  let path: string
  let repository: GitRepository
  let stand: Stand

  beforeEach(async () => {
    ;({ path, repository } = await localRepository())
    stand = standFor(repository)
  })

  test('status becomes one commit on an orphan branch, with trailers that git reads', async () => {
    commitFiles(path, { 'a.yaml': 'x' })
    stand.files.set('default/agents/sre.yaml', 'status: a\n').set('_cluster/hosts/local.yaml', 'status: b\n')
    await stand.writer.flush()
    expect(commits(path)).toBe(1)
    expect(tree(path)).toEqual(['_cluster/hosts/local.yaml', 'default/agents/sre.yaml'])
    expect(show(path, 'default/agents/sre.yaml')).toBe('status: a')
    expect(git(path, ['log', '-1', '--format=%s|%an|%cn|%ct', STATUS_REF])).toBe(
      `status: 2 objects at 1234567890ab|Stateward|Stateward|${Date.UTC(2026, 0, 1) / 1000}`,
    )
    expect(git(path, ['log', '-1', '--format=%(trailers:only,unfold)', STATUS_REF]).trim().split('\n')).toEqual([
      'Stateward-Env: default',
      'Stateward-Revision: 1234567890abcdef1234567890abcdef12345678',
      'Stateward-Log: 42 cafe',
      'Stateward-Controller: controller-1',
    ])
    expect(git(path, ['log', '-1', '--format=%b', STATUS_REF])).toContain('status default/agents/sre\n')
  })

  test('equal content makes no commit, also for a writer that starts anew', async () => {
    stand.files.set('default/agents/sre.yaml', 'status: a\n')
    await stand.writer.flush()
    await stand.writer.flush()
    const again = standFor(repository)
    again.files.set('default/agents/sre.yaml', 'status: a\n')
    await again.writer.flush()
    expect(commits(path)).toBe(1)
  })

  test('nothing to say makes no branch', async () => {
    await stand.writer.flush()
    expect(tipOf(path, STATUS_REF)).toBeNull()
    expect(tipOf(path, NOTES_REF)).toBeNull()
  })

  test('of several states of an object only the latest is written', async () => {
    for (const state of ['a', 'b', 'c']) {
      stand.files.set('default/agents/sre.yaml', `status: ${state}\n`)
      stand.writer.touch()
    }
    await stand.writer.flush()
    expect([commits(path), show(path, 'default/agents/sre.yaml')]).toEqual([1, 'status: c'])
  })

  test('only what changed is in the commit, and what is gone is removed', async () => {
    stand.files.set('default/agents/a.yaml', '1\n').set('default/agents/b.yaml', '1\n')
    await stand.writer.flush()
    stand.files.set('default/agents/a.yaml', '2\n').delete('default/agents/b.yaml')
    await stand.writer.flush()
    expect(git(path, ['diff-tree', '-r', '--name-status', '--no-commit-id', STATUS_REF])).toBe(
      'M\tdefault/agents/a.yaml\nD\tdefault/agents/b.yaml',
    )
    expect(git(path, ['log', '-1', '--format=%b', STATUS_REF])).toContain(
      'status default/agents/a\ngone default/agents/b\n',
    )
  })

  test('what others put on the branch stays, their commits and their files', async () => {
    stand.files.set('default/agents/a.yaml', '1\n')
    await stand.writer.flush()
    const theirs = commitFiles(path, { 'README.md': 'read me', 'default/notes.txt': 'mine' }, { ref: STATUS_REF })
    stand.files.set('default/agents/a.yaml', '2\n')
    await stand.writer.flush()
    expect(tree(path)).toEqual(['README.md', 'default/agents/a.yaml', 'default/notes.txt'])
    expect(git(path, ['rev-parse', `${STATUS_REF}^`])).toBe(theirs)
  })

  test('a controller of some environments removes nothing of the others', async () => {
    commitFiles(
      path,
      { 'prod/agents/a.yaml': 'x', 'dev/agents/gone.yaml': 'x', '_cluster/hosts/h.yaml': 'x' },
      { ref: STATUS_REF },
    )
    const dev = standFor(repository, { environments: ['dev'], environment: 'dev' })
    dev.files.set('dev/agents/b.yaml', '1\n')
    await dev.writer.flush()
    expect(tree(path)).toEqual(['_cluster/hosts/h.yaml', 'dev/agents/b.yaml', 'prod/agents/a.yaml'])
  })

  test('a controller of all environments removes what nothing has a status for', async () => {
    commitFiles(path, { 'prod/agents/a.yaml': 'x' }, { ref: STATUS_REF })
    stand.files.set('default/agents/b.yaml', '1\n')
    await stand.writer.flush()
    expect(tree(path)).toEqual(['default/agents/b.yaml'])
  })

  test('a note shows with git log, is overwritten by a newer one, and the same one again makes no commit', async () => {
    const commit = commitFiles(path, { 'a.yaml': 'x' })
    const log = () => git(path, ['log', '-1', '--show-notes=stateward', '--format=%N', 'main']).trim()
    stand.notes.set(commit, 'applied: create 1\n')
    await stand.writer.flush()
    expect(log()).toBe('applied: create 1')
    expect(stand.notes.size).toBe(0)
    stand.notes.set(commit, 'partial: blocked 1\n')
    await stand.writer.flush()
    expect(log()).toBe('partial: blocked 1')
    stand.notes.set(commit, 'partial: blocked 1\n')
    await stand.writer.flush()
    expect([log(), commits(path, NOTES_REF), stand.notes.size]).toEqual(['partial: blocked 1', 2, 0])
  })

  test('a note that changes while it is written is written again', async () => {
    const commit = commitFiles(path, { 'a.yaml': 'x' })
    stand.notes.set(commit, 'first\n')
    const writing = stand.writer.flush()
    stand.notes.set(commit, 'first\n')
    await writing
    expect(stand.notes.size).toBe(0)
    const racing = standFor(repository, {
      notes: () => stand.notes,
      noted: (commits) => {
        for (const noted of commits) stand.notes.delete(noted)
      },
      position: async () => {
        stand.notes.set(commit, 'third\n')
        return { seq: 1, hash: 'a' }
      },
    })
    racing.files.set('default/agents/a.yaml', '1\n')
    stand.notes.set(commit, 'second\n')
    await racing.writer.flush()
    expect([...stand.notes.values()]).toEqual(['third\n'])
  })

  test('calls at the same time do not race each other for the branch', async () => {
    const warnings: string[] = []
    const busy = standFor(repository, { intervalMs: 0, log: { warn: (_fields, message) => warnings.push(message) } })
    for (let round = 0; round < 5; round++) {
      busy.files.set('default/agents/a.yaml', `${round}\n`)
      busy.writer.touch()
      await Promise.all([busy.writer.flush(), busy.writer.flush(), busy.writer.flush()])
    }
    await busy.writer.close()
    expect([warnings, show(path, 'default/agents/a.yaml')]).toEqual([[], '4'])
    expect(commits(path)).toBe(5)
  })

  test('closing publishes what is left, and nothing afterwards', async () => {
    stand.files.set('default/agents/a.yaml', '1\n')
    stand.writer.touch()
    await stand.writer.close()
    expect(show(path, 'default/agents/a.yaml')).toBe('1')
    stand.files.set('default/agents/a.yaml', '2\n')
    stand.writer.touch()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(commits(path)).toBe(1)
  })

  test('a fresh status of another controller for the same environment stops ours until it is old', async () => {
    const other = standFor(repository, { controllerId: 'controller-2' })
    other.files.set('default/agents/a.yaml', 'theirs\n')
    await other.writer.flush()
    stand.clock.at = other.clock.at + 60_000
    stand.files.set('default/agents/a.yaml', 'ours\n')
    await stand.writer.flush()
    expect(stand.writer.problem).toMatchObject({
      reason: 'AnotherController',
      message: expect.stringContaining('controller-2'),
    })
    expect([stand.changes.count, show(path, 'default/agents/a.yaml')]).toEqual([1, 'theirs'])
    stand.clock.at = other.clock.at + 121_000
    await stand.writer.flush()
    expect([stand.writer.problem, show(path, 'default/agents/a.yaml')]).toEqual([null, 'ours'])
    await stand.writer.close()
  })

  test('a controller of another environment is none of ours to stop for', async () => {
    const other = standFor(repository, { controllerId: 'controller-2', environment: 'prod', environments: ['prod'] })
    other.files.set('prod/agents/a.yaml', 'theirs\n')
    await other.writer.flush()
    const ours = standFor(repository, { environments: ['default'] })
    ours.files.set('default/agents/a.yaml', 'ours\n')
    await ours.writer.flush()
    expect(tree(path)).toEqual(['default/agents/a.yaml', 'prod/agents/a.yaml'])
  })
})

describe('in the mirror of a remote', () => {
  let remotePath: string
  let url: string
  let mirror: GitRepository
  let pushes: number
  /** What the remote answers with instead of taking a push. */
  let refuse: Error | null

  const remote = (): StatusRemote => ({
    async push(refs) {
      pushes++
      if (refuse !== null) throw refuse
      await mirror.push({ url, refspecs: refs.map((ref) => `${ref}:${ref}`), timeoutMs: 30_000 })
    },
    async fetch(refs) {
      const there = await mirror.listRemote({ url, patterns: refs, timeoutMs: 30_000 })
      const wanted = refs.filter((ref) => there.has(ref))
      if (wanted.length > 0)
        await mirror.fetch({ url, refspecs: wanted.map((ref) => `+${ref}:${ref}`), timeoutMs: 30_000 })
    },
  })

  beforeEach(async () => {
    const name = `remote-${++serial}.git`
    remotePath = bareRepository(join(scratch.path, name))
    commitFiles(remotePath, { 'a.yaml': 'x' })
    url = server.url(name)
    const mirrorPath = join(scratch.path, `mirror-${serial}.git`)
    await initBareRepository(mirrorPath)
    mirror = await openRepository({ gitDir: mirrorPath })
    open.push(mirror)
    pushes = 0
    refuse = null
  })

  test('status and notes arrive, also when there is no note yet', async () => {
    const stand = standFor(mirror, { remote: remote() })
    stand.files.set('default/agents/a.yaml', '1\n')
    await stand.writer.flush()
    expect([stand.writer.problem, show(remotePath, 'default/agents/a.yaml')]).toEqual([null, '1'])
    const commit = tipOf(remotePath, 'refs/heads/main')!
    stand.notes.set(commit, 'applied\n')
    await stand.writer.flush()
    expect(git(remotePath, ['notes', '--ref', 'stateward', 'show', commit])).toBe('applied')
    await stand.writer.flush()
    expect(pushes).toBe(2)
  })

  test('a rejected push is fetched and written onto the new tip, never forced', async () => {
    const stand = standFor(mirror, { remote: remote() })
    stand.files.set('default/agents/a.yaml', '1\n')
    await stand.writer.flush()
    const theirs = commitFiles(remotePath, { 'README.md': 'by hand' }, { ref: STATUS_REF })
    stand.files.set('default/agents/a.yaml', '2\n')
    await stand.writer.flush()
    expect(tipOf(remotePath, STATUS_REF)).toBe(theirs)
    await stand.writer.flush()
    expect(stand.writer.problem).toBeNull()
    expect(git(remotePath, ['rev-parse', `${STATUS_REF}^`])).toBe(theirs)
    expect([show(remotePath, 'README.md'), show(remotePath, 'default/agents/a.yaml')]).toEqual(['by hand', '2'])
    await stand.writer.close()
  })

  test('what could not be pushed is pushed later, though nothing changed since and the remote has no branch yet', async () => {
    const stand = standFor(mirror, { remote: remote() })
    stand.files.set('default/agents/a.yaml', '1\n')
    refuse = fail('SW_GIT_FAILED', 'no permission')
    await stand.writer.flush()
    await stand.writer.flush()
    expect(tipOf(remotePath, STATUS_REF)).toBeNull()
    refuse = null
    await stand.writer.flush()
    expect(show(remotePath, 'default/agents/a.yaml')).toBe('1')
    expect(commits(remotePath)).toBe(1)
    await stand.writer.close()
  })

  test('the fifth failure in a row is told, a success takes it back', async () => {
    const stand = standFor(mirror, { remote: remote() })
    stand.files.set('default/agents/a.yaml', '1\n')
    refuse = fail('SW_SOURCE_UNREACHABLE', 'nobody answers')
    for (let i = 0; i < 4; i++) await stand.writer.flush()
    expect(stand.writer.problem).toBeNull()
    await stand.writer.flush()
    expect(stand.writer.problem).toEqual({ reason: 'StatusPublishFailed', message: 'nobody answers' })
    refuse = null
    await stand.writer.flush()
    expect([stand.writer.problem, stand.changes.count]).toEqual([null, 2])
    await stand.writer.close()
  })

  test('a mirror that is new goes on from what was published before', async () => {
    const first = standFor(mirror, { remote: remote() })
    first.files.set('default/agents/a.yaml', '1\n')
    await first.writer.flush()
    const path = join(scratch.path, `again-${serial}.git`)
    await initBareRepository(path)
    mirror = await openRepository({ gitDir: path })
    open.push(mirror)
    const second = standFor(mirror, { remote: remote() })
    second.files.set('default/agents/a.yaml', '1\n').set('default/agents/b.yaml', '1\n')
    await second.writer.flush()
    expect([commits(remotePath), tree(remotePath)]).toEqual([2, ['default/agents/a.yaml', 'default/agents/b.yaml']])
  })
})
