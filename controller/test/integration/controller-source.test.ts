import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { bareRepository, commitFiles, git, tipOf, untilQuiet } from '../support/git-remote.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK, storyOf } from '../support/stateward.ts'

const open: Installation[] = []
async function installed(files: Parameters<Installation['apply']>[0]): Promise<Installation> {
  const installation = await createInstallation(files)
  open.push(installation)
  return installation
}
async function started(files: Parameters<Installation['apply']>[0]): Promise<Installation> {
  const installation = await installed(files)
  await installation.start()
  return installation
}
afterEach(async () => {
  for (const installation of open.splice(0)) await installation.end()
})

const MAIN = 'refs/heads/main'
const source = (spec: object) => manifest('Source', 'state', spec)
const has = (here: Installation, name: string) => here.stateward.world.objects.has(`Agent/default/${name}`)
/** Long enough for what must not happen: a change of the ref is noticed within a second. */
const meanwhile = () => new Promise((resolve) => setTimeout(resolve, 1500))

describe('a source that only observes', () => {
  it('plans each commit, applies nothing, and says so once', async () => {
    const here = await started({ 'source.yaml': source({ mode: 'enforce' }), 'a.yaml': agent('a', PER_TASK) })
    await here.apply({ 'source.yaml': source({ mode: 'observe' }) })
    const commit = await here.apply({
      'a.yaml': agent('a', { ...PER_TASK, replicas: 3 }),
      'b.yaml': agent('b', PER_TASK),
    })
    expect(here.stateward.sync.state.sync).toMatchObject({
      outcome: 'observed',
      to_revision: commit,
      counts: { create: 1, update: 1 },
    })
    expect(has(here, 'b')).toBe(false)
    expect(here.object('Agent/default/a').generation).toBe(1)
    expect(here.condition('Source/state', 'Ready')).toMatchObject({ status: 'Unknown', reason: 'ObserveOnly' })

    const seq = await here.logSeq()
    for (let i = 0; i < 3; i++) await here.post('/api/v1/reconcile', {})
    await here.post('/api/v1/sources/state/sync', {})
    await here.stateward.settled()
    expect(await here.logSeq()).toBe(seq)

    await here.stop()
    await here.start()
    expect(storyOf(await here.events(seq))).toEqual(['bus.restarted'])
    expect(has(here, 'b')).toBe(false)
  })

  it('enforces again when a commit says so, with everything that was only planned', async () => {
    const here = await started({ 'source.yaml': source({ mode: 'enforce' }), 'a.yaml': agent('a', PER_TASK) })
    await here.apply({ 'source.yaml': source({ mode: 'observe' }) })
    await here.apply({ 'b.yaml': agent('b', PER_TASK), 'c.yaml': agent('c', { replics: 1 }) })
    expect(has(here, 'b')).toBe(false)
    await here.apply({ 'source.yaml': source({ mode: 'enforce' }) })
    await here.untilCondition('Agent/default/b', 'Ready', 'True')
    const problem = { status: 'False', reason: 'ValidationFailed', message: expect.stringMatching(/^c\.yaml:6:3/) }
    expect(here.condition('Source/state', 'Ready')).toMatchObject(problem)
    await here.stop()
    await here.start()
    expect(here.condition('Source/state', 'Ready')).toMatchObject(problem)
  })

  it('starts nothing when the very first commit says observe', async () => {
    const here = await started({ 'source.yaml': source({ mode: 'observe' }), 'a.yaml': agent('a', PER_TASK) })
    expect(has(here, 'a')).toBe(false)
    expect(here.condition('Source/state', 'Ready')).toMatchObject({ status: 'Unknown', reason: 'ObserveOnly' })
    expect(here.stateward.sync.state.sync).toMatchObject({ outcome: 'observed', counts: { create: 3 } })
  })
})

describe('a Source document that is broken', () => {
  it('leaves the source in the mode it had, also when its file cannot be read', async () => {
    const here = await started({ 'source.yaml': source({}), 'a.yaml': agent('a', PER_TASK) })
    await here.apply({ 'source.yaml': source({ mode: 'observe' }) })
    for (const broken of [source({ mode: 'enforec' }), 'kind: [Source\n']) {
      await here.apply({ 'source.yaml': broken })
      expect(here.stateward.sync.state.sync?.outcome).toBe('observed')
      expect(here.object('Source/state').spec).toEqual({ mode: 'observe' })
    }
    await here.apply({ 'source.yaml': null, 'b.yaml': agent('b', PER_TASK) })
    expect(has(here, 'b')).toBe(true)
    expect(here.object('Source/state').spec['mode']).toBeUndefined()
  })
})

describe('a suspended source', () => {
  it('is not read until it is resumed', async () => {
    const here = await started({ 'source.yaml': source({}), 'a.yaml': agent('a', PER_TASK) })
    await here.post('/api/v1/objects/suspend', { kind: 'source', name: 'state', merge: false })
    await here.untilCondition('Source/state', 'Suspended', 'True')
    here.push({ 'b.yaml': agent('b', PER_TASK) })
    await meanwhile()
    expect(has(here, 'b')).toBe(false)
    expect((await here.post('/api/v1/objects/resume', { kind: 'source', name: 'state', merge: false })).status).toBe(
      200,
    )
    await until('the commit', () => has(here, 'b'))
    await here.untilCondition('Source/state', 'Ready', 'True')
  })
})

describe('a source that cannot be read', () => {
  it('keeps everything when its branch is deleted, and goes on when it is back', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK), 'b.yaml': agent('b', PER_TASK) })
    const tip = tipOf(here.repo, MAIN)!
    git(here.repo, ['update-ref', '-d', MAIN])
    await here.untilCondition('Source/state', 'Fetched', 'False', 'FetchFailed')
    expect(here.condition('Source/state', 'Fetched')?.message).toMatch(/"main".*SW_REF_MISSING/)
    expect(here.condition('Source/state', 'Ready')).toMatchObject({ status: 'False', reason: 'FetchFailed' })
    expect([has(here, 'a'), has(here, 'b')]).toEqual([true, true])
    expect(here.condition('Agent/default/a', 'Ready')?.status).toBe('True')
    expect(storyOf(await here.events()).filter((line) => line.startsWith('object.delet'))).toEqual([])

    git(here.repo, ['update-ref', MAIN, tip])
    await here.untilCondition('Source/state', 'Ready', 'True')
    await here.apply({ 'c.yaml': agent('c', PER_TASK) })
    expect(has(here, 'c')).toBe(true)
  })

  it('keeps everything when the repository is gone, and goes on when it is back', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK) })
    const away = `${here.repo}.away`
    await untilQuiet(here.repo, 'refs/heads/stateward/status')
    renameSync(here.repo, away)
    await here.untilCondition('Source/state', 'Fetched', 'False', 'FetchFailed')
    expect(has(here, 'a')).toBe(true)
    commitFiles(away, { 'b.yaml': agent('b', PER_TASK) })
    renameSync(away, here.repo)
    await until('the commit', () => has(here, 'b'))
    await here.untilCondition('Source/state', 'Ready', 'True')
  })

  it('keeps everything when the head has no files', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK) })
    here.push({ 'a.yaml': null })
    await here.untilCondition('Source/state', 'Fetched', 'False', 'FetchFailed')
    expect(has(here, 'a')).toBe(true)
  })

  it('keeps everything over a restart, and says what is wrong', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK) })
    await here.stop()
    git(here.repo, ['update-ref', '-d', MAIN])
    const again = await here.start()
    expect(has(here, 'a')).toBe(true)
    expect(again.sync.state.failure).toMatchObject({ code: 'SW_REF_MISSING' })
    expect(here.condition('Source/state', 'Fetched')).toMatchObject({ status: 'False', reason: 'FetchFailed' })
    expect(here.condition('Agent/default/a', 'Ready')?.status).toBe('True')
  })
})

describe('a branch whose history was rewritten', () => {
  it('is applied like any commit, and the log says so', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK) })
    const first = tipOf(here.repo, MAIN)
    await here.apply({ 'b.yaml': agent('b', PER_TASK) })
    const seq = await here.logSeq()
    const rewritten = commitFiles(here.repo, { 'c.yaml': agent('c', PER_TASK) }, { parent: first })
    await until('the rewritten head', () => here.stateward.sync.state.sync?.to_revision === rewritten)
    await until('b to go', () => !has(here, 'b'))
    expect(has(here, 'c')).toBe(true)
    await here.stateward.settled()
    const story = storyOf(await here.events(seq))
    expect(story).toContain('source.history_rewritten')
  })

  it('is held to the limit of deletions as well', async () => {
    const names = Array.from({ length: 7 }, (_, i) => `a${i}`)
    const here = await started({ 'first.yaml': agent('first', PER_TASK) })
    const first = tipOf(here.repo, MAIN)
    await here.apply(Object.fromEntries(names.map((name) => [`${name}.yaml`, agent(name, PER_TASK)])))
    git(here.repo, ['update-ref', MAIN, first!])
    await until('the old head', () => here.stateward.sync.state.sync?.to_revision === first)
    await here.stateward.settled()
    expect(names.every((name) => has(here, name))).toBe(true)
    expect(here.condition('Source/state', 'Ready')).toMatchObject({ reason: 'PartiallyApplied' })
  })
})

describe('a source over the network or in a part of a repository', () => {
  it('is mirrored: status and notes are pushed to where it came from', async () => {
    const here = await installed({ 'a.yaml': agent('a', PER_TASK) })
    const stateward = await here.start({ repo: `file://${here.repo}` })
    expect(has(here, 'a')).toBe(true)
    await stateward.settled()
    await until('the status branch', () => tipOf(here.repo, 'refs/heads/stateward/status'))
    await until('the note', () => tipOf(here.repo, 'refs/notes/stateward'))
  })

  it('reads its folder and nothing beside it', async () => {
    const here = await installed({
      'fleet/a.yaml': agent('a', { runtime: { process: { command: ['sleep', '1000'], workdir: 'code' } } }),
      'fleet/code/x.txt': 'x',
      'other/b.yaml': agent('b', PER_TASK),
    })
    await here.start({ path: 'fleet' })
    expect(has(here, 'b')).toBe(false)
    await until('a process', async () => (await here.pids('Agent/default/a')).length === 1)
    const seq = await here.logSeq()
    await here.apply({ 'other/b.yaml': agent('b', { ...PER_TASK, replicas: 2 }) })
    expect(
      storyOf(await here.events(seq)).filter((line) => line.startsWith('object.') && !line.endsWith(' state')),
    ).toEqual([])
  })
})

describe('a plain folder as the source', () => {
  it('is applied whenever a file is saved, and nothing is written into it', async () => {
    const here = await installed({})
    const folder = join(here.dataDir, 'folder')
    mkdirSync(folder)
    writeFileSync(join(folder, 'a.yaml'), agent('a', PER_TASK))
    const stateward = await here.start({}, { directory: folder })
    expect(stateward.first?.sync.counts.create).toBe(3)
    await here.untilCondition('Source/state', 'Ready', 'True')

    writeFileSync(join(folder, 'b.yaml'), agent('b', PER_TASK))
    await until('b', () => has(here, 'b'))
    writeFileSync(join(folder, 'b.yaml'), agent('b', { replics: 1 }))
    await here.untilCondition('Source/state', 'Ready', 'False', 'ValidationFailed')
    expect(here.object('Agent/default/b').generation).toBe(1)
    rmSync(join(folder, 'b.yaml'))
    await until('b to go', () => !has(here, 'b'))
    await here.untilCondition('Source/state', 'Ready', 'True')
    const suspended = await here.post('/api/v1/objects/suspend', { kind: 'agent', name: 'a', merge: false })
    expect(suspended.body).toMatchObject({ branch: null, commit: null })
  })

  it('restarts the agents whose files were saved', async () => {
    const here = await installed({})
    const folder = join(here.dataDir, 'folder')
    mkdirSync(join(folder, 'code'), { recursive: true })
    writeFileSync(join(folder, 'code/run.sh'), 'exec sleep 1000\n')
    writeFileSync(
      join(folder, 'a.yaml'),
      agent('a', { runtime: { process: { command: ['sh', 'run.sh'], workdir: 'code' } } }),
    )
    await here.start({}, { directory: folder })
    const pids = await until('a process', async () => {
      const found = await here.pids('Agent/default/a')
      return found.length === 1 && found
    })
    writeFileSync(join(folder, 'code/run.sh'), 'exec sleep 1001\n')
    await until('another process', async () => {
      const found = await here.pids('Agent/default/a')
      return found.length === 1 && found[0] !== pids[0]
    })
  })
})

describe('another repository under the same data folder', () => {
  it('is read from the beginning, and held to the limit of deletions', async () => {
    const names = Array.from({ length: 7 }, (_, i) => `a${i}`)
    const here = await started(Object.fromEntries(names.map((name) => [`${name}.yaml`, agent(name, PER_TASK)])))
    await here.stop()
    const other = bareRepository(join(here.dataDir, 'other.git'))
    commitFiles(other, { 'b.yaml': agent('b', PER_TASK) })
    await here.start({ repo: other })
    expect(has(here, 'b')).toBe(true)
    expect(names.every((name) => has(here, name))).toBe(true)
    expect(here.condition('Source/state', 'Ready')).toMatchObject({ reason: 'PartiallyApplied' })
  })
})
