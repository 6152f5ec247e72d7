import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { type GitServer, git, serveHttp, tipOf, untilQuiet } from '../support/git-remote.ts'
import { agent } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK, storyOf } from '../support/stateward.ts'

/**
 * What happens to a repository while a controller runs on it. Each time the source says what is wrong (in
 * bad-input/repository-<case>.txt), nothing is deleted, and when the repository is whole again the next commit is applied.
 */

const MAIN = 'refs/heads/main'
const STATUS = 'refs/heads/stateward/status'
const AGENTS = Object.fromEntries(['a', 'b', 'c'].map((name) => [`agents/${name}.yaml`, agent(name, PER_TASK)]))

/** The conditions of the source as a person reads them, without what differs each time or with each version of git. */
function told(here: Installation, server?: GitServer): string {
  const fetched = here.condition('Source/state', 'Fetched')
  const ready = here.condition('Source/state', 'Ready')
  return `Fetched=${fetched?.status} ${fetched?.reason}\nReady=${ready?.status} ${ready?.reason}\n${fetched?.message}\n`
    .replaceAll(here.dataDir, '<data>')
    .replaceAll(server?.url('').replace(/\/$/, '') ?? '<no server>', '<server>')
    .replaceAll(/\b[0-9a-f]{12,40}\b/g, '<oid>')
    .replace(/(?:remote: )?(?:fatal|error): .*(?= \([^()]*\) \[SW_)/s, '<what git said>')
}

const loose = (here: Installation, oid: string) => join(here.repo, 'objects', oid.slice(0, 2), oid.slice(2))
const agentsOf = (here: Installation) =>
  [...here.stateward.world.objects.values()].filter(({ kind, deleting }) => kind === 'Agent' && !deleting)

/** Nothing was deleted, nothing was replaced, and everything goes on as soon as the repository is whole. */
async function expectUnharmed(here: Installation, uids: readonly string[], seq: number) {
  expect(agentsOf(here).map(({ uid }) => uid)).toEqual(uids)
  expect(storyOf(await here.events(seq)).filter((line) => line.startsWith('object.delet'))).toEqual([])
}

interface RepositoryCase {
  /** Breaks the repository and returns what makes it whole. */
  readonly spoil: (here: Installation) => () => void
  /** What the controller itself does to it meanwhile. */
  readonly until?: (here: Installation) => boolean
}

/** Takes an object that only the next commit has away. */
function loseObjectOf(here: Installation, what: (commit: string) => string): () => void {
  const before = tipOf(here.repo, MAIN)!
  const file = { [`agents/lost-${randomBytes(4).toString('hex')}.yaml`]: agent('lost', PER_TASK) }
  // Built beside the branch, so that the controller sees the commit only when its object is gone.
  const commit = commitBeside(here, file)
  rmSync(loose(here, git(here.repo, ['rev-parse', what(commit)])))
  git(here.repo, ['update-ref', MAIN, commit])
  return () => git(here.repo, ['update-ref', MAIN, before])
}

function commitBeside(here: Installation, files: Record<string, string>): string {
  const before = tipOf(here.repo, MAIN)!
  git(here.repo, ['update-ref', 'refs/heads/beside', before])
  return commitOn(here, 'refs/heads/beside', files)
}

function commitOn(here: Installation, ref: string, files: Record<string, string>): string {
  const env = {
    GIT_INDEX_FILE: join(here.repo, 'beside-index'),
    GIT_AUTHOR_DATE: '1700000000 +0000',
    GIT_COMMITTER_DATE: '1700000000 +0000',
  }
  git(here.repo, ['read-tree', ref], { env })
  for (const [path, content] of Object.entries(files)) {
    const oid = git(here.repo, ['hash-object', '-w', '--stdin'], { input: content })
    git(here.repo, ['update-index', '--add', '--cacheinfo', `100644,${oid},${path}`], { env })
  }
  const tree = git(here.repo, ['write-tree'], { env })
  const commit = git(here.repo, ['commit-tree', tree, '-p', ref, '-m', 'beside'], { env })
  git(here.repo, ['update-ref', ref, commit])
  return commit
}

function spoilRef(here: Installation, content: string): () => void {
  const before = tipOf(here.repo, MAIN)!
  const file = join(here.repo, MAIN)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  return () => writeFileSync(file, `${before}\n`)
}

function replaceFolder(here: Installation, fill: (path: string) => void): () => void {
  const away = `${here.repo}.away`
  renameSync(here.repo, away)
  fill(here.repo)
  return () => {
    rmSync(here.repo, { recursive: true, force: true })
    renameSync(away, here.repo)
  }
}

const hasStatus = (here: Installation) => tipOf(here.repo, STATUS) !== null

const LOCAL: Readonly<Record<string, RepositoryCase>> = {
  'branch-deleted': {
    spoil(here) {
      const before = tipOf(here.repo, MAIN)!
      git(here.repo, ['update-ref', 'refs/heads/other', before])
      git(here.repo, ['update-ref', '-d', MAIN])
      return () => {
        git(here.repo, ['update-ref', MAIN, before])
        git(here.repo, ['update-ref', '-d', 'refs/heads/other'])
      }
    },
  },
  'branch-renamed': {
    spoil(here) {
      git(here.repo, ['branch', '-m', 'main', 'trunk'])
      return () => git(here.repo, ['branch', '-m', 'trunk', 'main'])
    },
  },
  'emptied-of-all-branches': {
    spoil(here) {
      return replaceFolder(here, (path) => git('/', ['init', '--quiet', '--bare', '--initial-branch=main', path]))
    },
    until: hasStatus,
  },
  'folder-gone': { spoil: (here) => replaceFolder(here, () => {}) },
  'folder-empty': { spoil: (here) => replaceFolder(here, (path) => mkdirSync(path)) },
  'folder-is-a-file': { spoil: (here) => replaceFolder(here, (path) => writeFileSync(path, 'not a repository\n')) },
  'branch-names-no-commit': { spoil: (here) => spoilRef(here, `${'12345678'.repeat(5)}\n`) },
  'branch-is-garbage': { spoil: (here) => spoilRef(here, 'garbage\n') },
  'branch-names-a-file': {
    spoil: (here) => spoilRef(here, `${git(here.repo, ['rev-parse', `${MAIN}:agents/a.yaml`])}\n`),
  },
  'tree-missing': { spoil: (here) => loseObjectOf(here, (commit) => `${commit}^{tree}`) },
  'folder-tree-missing': { spoil: (here) => loseObjectOf(here, (commit) => `${commit}:agents`) },
  'file-missing': {
    spoil: (here) =>
      loseObjectOf(
        here,
        (commit) => `${commit}:${git(here.repo, ['diff-tree', '-r', '--name-only', '--no-commit-id', commit])}`,
      ),
  },
  'object-corrupt': {
    spoil(here) {
      const before = tipOf(here.repo, MAIN)!
      const commit = commitBeside(here, { 'agents/corrupt.yaml': agent('corrupt', PER_TASK) })
      const file = loose(here, git(here.repo, ['rev-parse', `${commit}^{tree}`]))
      chmodSync(file, 0o644)
      writeFileSync(file, 'these are no zlib bytes')
      git(here.repo, ['update-ref', MAIN, commit])
      return () => git(here.repo, ['update-ref', MAIN, before])
    },
  },
  'commit-without-files': {
    spoil(here) {
      const before = tipOf(here.repo, MAIN)!
      const tree = git(here.repo, ['mktree'], { input: '' })
      git(here.repo, [
        'update-ref',
        MAIN,
        git(here.repo, ['commit-tree', tree, '-p', before, '-m', 'everything is gone']),
      ])
      return () => git(here.repo, ['update-ref', MAIN, before])
    },
  },
}

describe('a repository in place', () => {
  let here: Installation

  beforeAll(async () => {
    here = await createInstallation(AGENTS)
    await here.start()
    await until('the first status', () => hasStatus(here))
  })
  afterAll(async () => {
    await here.end()
  })

  test.each(Object.keys(LOCAL))('%s: is told, nothing is deleted, and it goes on afterwards', async (name) => {
    const uids = agentsOf(here).map(({ uid }) => uid)
    const seq = await here.logSeq()
    await untilQuiet(here.repo, STATUS)
    const repair = LOCAL[name]!.spoil(here)
    try {
      await here.untilCondition('Source/state', 'Fetched', 'False', 'FetchFailed')
      await until('the case to settle', () => LOCAL[name]!.until?.(here) ?? true)
      await here.post('/api/v1/sources/state/sync', {})
      await here.stateward.settled()
      await expect(told(here)).toMatchFileSnapshot(`bad-input/repository-${name}.txt`)
      await expectUnharmed(here, uids, seq)
    } finally {
      repair()
    }
    await here.untilCondition('Source/state', 'Fetched', 'True')
    await here.apply({ 'agents/a.yaml': agent('a', { ...PER_TASK, description: name }) })
    expect(here.object('Agent/default/a').spec).toMatchObject({ description: name })
    await expectUnharmed(here, uids, seq)
  })
})

describe('a remote', () => {
  let here: Installation
  let server: GitServer

  const refresh = async () => {
    await here.post('/api/v1/sources/state/sync', {})
    await here.stateward.settled()
  }

  beforeAll(async () => {
    here = await createInstallation(AGENTS)
    server = await serveHttp(dirname(here.repo))
    await here.start({ repo: server.url('given.git') })
    await until('the first status', () => hasStatus(here))
  })
  afterAll(async () => {
    await here.end()
    await server.close()
  })

  async function expectTold(name: string, spoil: () => void | Promise<void>, repair: () => void | Promise<void>) {
    const uids = agentsOf(here).map(({ uid }) => uid)
    const seq = await here.logSeq()
    await untilQuiet(here.repo, STATUS)
    await spoil()
    await refresh()
    await here.untilCondition('Source/state', 'Fetched', 'False', 'FetchFailed')
    await expect(told(here, server)).toMatchFileSnapshot(`bad-input/repository-${name}.txt`)
    await expectUnharmed(here, uids, seq)
    await repair()
    await refresh()
    await here.untilCondition('Source/state', 'Fetched', 'True')
    await expectUnharmed(here, uids, seq)
  }

  test('whose branch is deleted is told, nothing is deleted, and it goes on afterwards', async () => {
    const before = tipOf(here.repo, MAIN)!
    await expectTold(
      'remote-branch-deleted',
      () => {
        git(here.repo, ['update-ref', '-d', MAIN])
      },
      () => {
        git(here.repo, ['update-ref', MAIN, before])
      },
    )
  })

  test('that has no such repository any more is told', async () => {
    const away = `${here.repo}.away`
    await expectTold(
      'remote-repository-gone',
      () => renameSync(here.repo, away),
      () => renameSync(away, here.repo),
    )
  })

  test('whose objects are incomplete is told', async () => {
    let repair = () => {}
    await expectTold(
      'remote-object-missing',
      () => {
        repair = loseObjectOf(here, (commit) => `${commit}^{tree}`)
      },
      () => repair(),
    )
  })

  test('that is gone is told', async () => {
    await expectTold(
      'remote-gone',
      () => server.close(),
      async () => {
        const port = Number(new URL(server.url('')).port)
        server = await serveHttp(dirname(here.repo), { port })
      },
    )
  })

  test('whose branch was rewritten is applied like any commit', async () => {
    const before = tipOf(here.repo, MAIN)!
    const seq = await here.logSeq()
    git(here.repo, ['update-ref', '-d', MAIN])
    const tree = git(here.repo, ['rev-parse', `${before}^{tree}`])
    const orphan = git(here.repo, ['commit-tree', tree, '-m', 'history begins anew'])
    git(here.repo, ['update-ref', MAIN, orphan])
    await refresh()
    expect(here.stateward.sync.state.sync).toMatchObject({ to_revision: orphan, counts: { delete: 0, create: 0 } })
    expect(storyOf(await here.events(seq))).toContain('source.history_rewritten')
    expect(agentsOf(here)).toHaveLength(3)
  })
})
