import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, type TestContext } from 'vitest'
import { renderStatus, statusPath } from '../../src/status/render-object.ts'
import { until } from '../support/agent-fleet.ts'
import { git, tipOf } from '../support/git-remote.ts'
import { agent, manifest } from '../support/state-files.ts'
import { commitsOf, createInstallation, type Installation, PER_TASK, SLEEPER } from '../support/stateward.ts'

async function started(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  files: Parameters<Installation['apply']>[0],
  flags: object = {},
): Promise<Installation> {
  const installation = await createInstallation(files)
  onTestFinished(() => installation.end())
  await installation.start({ ...flags })
  return installation
}

const MAIN = 'refs/heads/main'
const STATUS = 'refs/heads/stateward/status'
const NOTES = 'refs/notes/stateward'
const noteOf = (here: Installation, commit: string) => git(here.repo, ['notes', '--ref=stateward', 'show', commit])

/** Waits until the branch holds the status of everything as it is now. */
async function published(here: Installation): Promise<void> {
  await here.stateward.settled()
  await until('the status branch to be complete', () => {
    if (tipOf(here.repo, STATUS) === null) return false
    const wanted = [...here.stateward.world.objects.values()].map((object) => [
      statusPath(object),
      renderStatus(object),
    ])
    return JSON.stringify(wanted.sort()) === JSON.stringify(Object.entries(branch(here)).sort())
  })
}

function branch(here: Installation): Record<string, string> {
  const paths = git(here.repo, ['ls-tree', '-r', '--name-only', STATUS]).split('\n')
  return Object.fromEntries(paths.map((path) => [path, `${git(here.repo, ['show', `${STATUS}:${path}`])}\n`]))
}

describe.concurrent('the status branch', () => {
  it('holds one file for every object, without what changes by itself', async (context) => {
    const here = await started(context, {
      'a.yaml': agent('a', SLEEPER),
      'b.yaml': agent('b', PER_TASK, { namespace: 'shop' }),
      'p.yaml': manifest('Project', 'p', {}),
    })
    await published(here)
    const files = branch(here)
    expect(Object.keys(files).sort()).toEqual([
      '_cluster/hosts/local.yaml',
      '_cluster/sources/state.yaml',
      'default/agents/a.yaml',
      'default/projects/p.yaml',
      'shop/agents/b.yaml',
    ])
    const { uid, effectiveDigest } = here.object('Agent/default/a')
    expect(files['default/agents/a.yaml']).toContain(`uid: ${uid}`)
    expect(files['default/agents/a.yaml']).toContain(`effectiveDigest: ${effectiveDigest}`)
    expect(files['default/agents/a.yaml']).not.toMatch(/pid|startedAt|restartCount/)
  })

  it('says in trailers which revision, which place of the log, and whose it is; no commit is empty', async (context) => {
    const here = await started(context, { 'a.yaml': agent('a', PER_TASK) })
    await published(here)
    const head = await here.apply({ 'a.yaml': agent('a', { ...PER_TASK, replicas: 2 }) })
    await published(here)
    const trailers = git(here.repo, ['log', '-1', '--format=%(trailers:unfold)', STATUS])
    expect(trailers).toMatch(/^Stateward-Env: default$/m)
    expect(trailers).toMatch(new RegExp(`^Stateward-Revision: ${head}$`, 'm'))
    expect(trailers).toMatch(/^Stateward-Log: [0-9]+ [0-9a-f]{64}$/m)
    expect(trailers).toMatch(/^Stateward-Controller: \S+$/m)
    const [, seq, hash] = /^Stateward-Log: ([0-9]+) ([0-9a-f]{64})$/m.exec(trailers)!
    const batches = await here.sql`
      SELECT 1 FROM log_batches WHERE last_seq = ${Number(seq)} AND hash = ${Buffer.from(hash!, 'hex')}`
    expect(batches).toHaveLength(1)
    const commits = commitsOf(here.repo, STATUS)
    const trees = git(here.repo, ['log', '--format=%T', STATUS]).split('\n')
    expect(commits.length).toBeGreaterThan(1)
    expect(trees.every((tree, i) => tree !== trees[i + 1])).toBe(true)
  })

  it('stands still while the fleet does, and causes nothing itself', async (context) => {
    const here = await started(context, { 'a.yaml': agent('a', SLEEPER) })
    await until('a process', async () => (await here.pids('Agent/default/a')).length === 1)
    await published(here)
    const before = {
      commits: commitsOf(here.repo, STATUS),
      notes: commitsOf(here.repo, NOTES),
      seq: await here.logSeq(),
    }
    const syncs = await here.sql`SELECT id FROM syncs`
    await delay(1500)
    git(here.repo, ['pack-refs', '--all'])
    await delay(1500)
    const after = {
      commits: commitsOf(here.repo, STATUS),
      notes: commitsOf(here.repo, NOTES),
      seq: await here.logSeq(),
    }
    expect(after).toEqual(before)
    expect(await here.sql`SELECT id FROM syncs`).toHaveLength(syncs.length)
  })

  it('tells in one commit what changed within the interval, at the latest when the process ends', async (context) => {
    const here = await started(context, { 'a.yaml': agent('a', PER_TASK) }, { statusInterval: '1h' })
    await here.apply({ 'a.yaml': agent('a', { ...PER_TASK, replicas: 2 }) })
    const commit = await here.apply({ 'b.yaml': agent('b', PER_TASK) })
    const before = commitsOf(here.repo, STATUS).length
    await here.stop()
    expect(commitsOf(here.repo, STATUS)).toHaveLength(before + 1)
    expect(branch(here)['default/agents/b.yaml']).toContain(commit)
    expect(noteOf(here, commit)).toContain('create   Agent/default/b')
  })

  it('that cannot be written is complained about, and written once it can be', async (context) => {
    const here = await started(context, { 'a.yaml': agent('a', PER_TASK) })
    await published(here)
    // A branch of that name leaves no room for `stateward/status`.
    git(here.repo, ['update-ref', '-d', STATUS])
    git(here.repo, ['update-ref', 'refs/heads/stateward', MAIN])
    await here.apply({ 'b.yaml': agent('b', PER_TASK) })
    expect(here.condition('Agent/default/b', 'Ready')?.status).toBe('True')
    await until(
      'StatusPublished=False',
      () => here.condition('Source/state', 'StatusPublished')?.status === 'False',
      40_000,
    )
    expect(here.condition('Source/state', 'StatusPublished')).toMatchObject({ reason: 'StatusPublishFailed' })
    // It keeps nothing from being applied.
    expect(here.condition('Source/state', 'Ready')?.status).toBe('True')
    git(here.repo, ['update-ref', '-d', 'refs/heads/stateward'])
    await until(
      'StatusPublished=True',
      () => here.condition('Source/state', 'StatusPublished')?.status === 'True',
      40_000,
    )
    await published(here)
  })
})

describe.concurrent('the note on a commit', () => {
  it('tells what became of it', async (context) => {
    const here = await started(context, { 'a.yaml': agent('a', PER_TASK), 'b.yaml': agent('b', PER_TASK) })
    const first = tipOf(here.repo, MAIN)!
    await until('the note', () => tipOf(here.repo, NOTES))
    expect(noteOf(here, first)).toMatch(/^applied: create 4\n/)
    const second = await here.apply({
      'a.yaml': agent('a', { replics: 1 }),
      'b.yaml': null,
      'c.yaml': agent('c', PER_TASK),
    })
    await until('the second note', () => git(here.repo, ['notes', '--ref=stateward', 'list']).includes(second))
    const note = noteOf(here, second)
    expect(note).toMatch(/^partial: create 1, unchanged 2, delete 1, blocked 1\n/)
    expect(note).toContain('  create   Agent/default/c')
    expect(note).toContain('  delete   Agent/default/b')
    expect(note).toContain('  blocked  Agent/default/a (ValidationFailed)')
    expect(note).toMatch(/^issue a\.yaml:6:3: error: .*SW_UNKNOWN_FIELD/m)
  })

  it('is written for heads, not for the commits that were pushed with them', async (context) => {
    const here = await started(context, { 'a.yaml': agent('a', PER_TASK) })
    await until('the note', () => tipOf(here.repo, NOTES))
    const tip = tipOf(here.repo, MAIN)!
    const tree = git(here.repo, ['rev-parse', `${MAIN}^{tree}`])
    const between = git(here.repo, ['commit-tree', tree, '-p', tip, '-m', 'between'])
    const head = git(here.repo, ['commit-tree', tree, '-p', between, '-m', 'head'])
    git(here.repo, ['update-ref', MAIN, head])
    await until('the note', () => git(here.repo, ['notes', '--ref=stateward', 'list']).includes(head))
    expect(git(here.repo, ['notes', '--ref=stateward', 'list'])).not.toContain(between)
  })
})
