import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { agent, manifest } from '../support/state-files.ts'
import type { Installation } from '../support/stateward.ts'
import { createInstallation, PER_TASK, SLEEPER, storyOf } from '../support/stateward.ts'

const open: Installation[] = []
async function started(files: Parameters<Installation['apply']>[0]): Promise<Installation> {
  const installation = await createInstallation(files)
  open.push(installation)
  await installation.start()
  return installation
}
afterEach(async () => {
  for (const installation of open.splice(0)) await installation.end()
})

/** Which version of its row each object has: a row that was not written keeps it. */
async function rowVersions({ sql }: Installation): Promise<Record<string, string>> {
  const rows = await sql<{ key: string; version: string }[]>`
    SELECT kind || '/' || name AS key, xmin::text AS version FROM objects ORDER BY 1`
  return Object.fromEntries(rows.map(({ key, version }) => [key, version]))
}

describe('a commit that changes one file', () => {
  it('writes that object and its source, and nothing else', async () => {
    const here = await started({
      'a.yaml': agent('a', PER_TASK),
      'b.yaml': agent('b', PER_TASK),
      'c.yaml': agent('c', PER_TASK),
    })
    await here.untilCondition('Source/state', 'Ready', 'True')
    const first = here.object('Agent/default/a').lastAppliedRevision
    const before = { versions: await rowVersions(here), seq: await here.logSeq(), b: here.object('Agent/default/b') }

    const commit = await here.apply({ 'b.yaml': agent('b', { ...PER_TASK, replicas: 2 }) })
    await here.untilCondition('Source/state', 'Ready', 'True')

    const events = await here.events(before.seq)
    // On a slow machine the source says in between that b is not ready.
    const others = events.filter((event) => event.data['name'] !== 'state')
    expect(storyOf(others)).toEqual(['object.updated b', 'source.revision.applied', 'object.status_changed b'])
    expect(storyOf(events).at(-1)).toBe('object.status_changed state')
    const b = here.object('Agent/default/b')
    expect(b).toMatchObject({ uid: before.b.uid, generation: 2, lastAppliedRevision: commit })
    expect(b.specResourceVersion).toBe(others[0]!.seq)
    expect(b.resourceVersion).toBe(others[2]!.seq)
    expect(b.status).toMatchObject({ observedGeneration: 2, lastAppliedRevision: commit })
    expect(here.object('Agent/default/a').lastAppliedRevision).toBe(first)
    expect(here.object('Source/state').status.lastAppliedRevision).toBe(commit)

    const after = await rowVersions(here)
    const written = Object.keys(after).filter((key) => after[key] !== before.versions[key])
    expect(written).toEqual(['Agent/b', 'Source/state'])
  })

  it('moves the generation for the spec alone, not for labels', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK) })
    const before = here.object('Agent/default/a')
    await here.apply({ 'a.yaml': agent('a', PER_TASK, { labels: { team: 'platform' } }) })
    const after = here.object('Agent/default/a')
    expect(after).toMatchObject({ generation: 1, labels: { team: 'platform' } })
    expect(after.specResourceVersion).toBe(before.specResourceVersion)
    expect(after.resourceVersion).toBeGreaterThan(before.resourceVersion)
  })

  it('leaves an object as it is when only its file moved, or only a comment changed', async () => {
    const here = await started({ 'a.yaml': agent('a', SLEEPER), 'b.yaml': agent('b', PER_TASK) })
    await until('a process', async () => (await here.pids('Agent/default/a')).length === 1)
    await here.stateward.settled()
    const before = { object: here.object('Agent/default/a'), pids: await here.pids('Agent/default/a') }
    const seq = await here.logSeq()
    await here.apply({
      'a.yaml': null,
      'fleet/agents/a.yaml': agent('a', SLEEPER),
      'b.yaml': `# a comment\n${agent('b', PER_TASK)}`,
    })
    expect(here.stateward.sync.state.sync?.counts).toMatchObject({ unchanged: 4, update: 0, create: 0, delete: 0 })
    const after = here.object('Agent/default/a')
    expect(after).toEqual({ ...before.object, file: 'fleet/agents/a.yaml' })
    expect(await here.pids('Agent/default/a')).toEqual(before.pids)
    const story = storyOf(await here.events(seq))
    expect(story.filter((line) => !line.endsWith(' state'))).toEqual(['source.revision.applied'])
    // The next commit and the next start know where it is now.
    await here.apply({ 'fleet/agents/a.yaml': agent('a', SLEEPER, { labels: { moved: 'yes' } }) })
    expect(here.object('Agent/default/a').uid).toBe(before.object.uid)
  })

  it('that scales an agent or describes it leaves the instances that run as they are', async () => {
    const here = await started({ 'a.yaml': agent('a', SLEEPER) })
    const pids = (count: number) =>
      until(`${count} processes`, async () => {
        const found = await here.pids('Agent/default/a')
        return found.length === count && found
      })
    const [first] = await pids(1)
    await here.apply({ 'a.yaml': agent('a', { ...SLEEPER, replicas: 2, description: 'Two of them.' }) })
    expect(await pids(2)).toContain(first)
    await here.apply({ 'a.yaml': agent('a', { ...SLEEPER, capabilities: ['linux'] }) })
    await until('another process', async () => {
      const found = await here.pids('Agent/default/a')
      return found.length === 1 && found[0] !== first
    })
  })

  it('is one change for the branch, however many commits were pushed at once', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK) })
    const settled = until('the last one', () => here.object('Agent/default/a').spec['replicas'] === 5)
    for (const replicas of [2, 3, 4, 5]) here.push({ 'a.yaml': agent('a', { ...PER_TASK, replicas }) })
    await settled
    await here.stateward.settled()
    const { generation } = here.object('Agent/default/a')
    expect(generation).toBeGreaterThan(1)
    expect(generation).toBeLessThanOrEqual(5)
  })

  it('that says nothing new writes its revision only', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK) })
    await here.untilCondition('Source/state', 'Ready', 'True')
    const seq = await here.logSeq()
    const commit = await here.apply({ 'README.md': 'hello\n' })
    expect(storyOf(await here.events(seq))).toEqual(['source.revision.applied', 'object.status_changed state'])
    expect(here.object('Source/state').status.lastAppliedRevision).toBe(commit)
    expect(here.object('Agent/default/a').lastAppliedRevision).not.toBe(commit)
  })
})

describe('a commit with a broken document', () => {
  it('keeps the last good revision of that object and applies everything else', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK), 'b.yaml': agent('b', PER_TASK) })
    const good = here.object('Agent/default/a').lastAppliedRevision
    const commit = await here.apply({
      'a.yaml': agent('a', { ...PER_TASK, replics: 3 }),
      'b.yaml': agent('b', { ...PER_TASK, replicas: 2 }),
      'c.yaml': agent('c', PER_TASK),
    })
    expect(here.object('Agent/default/a')).toMatchObject({ generation: 1, lastAppliedRevision: good })
    expect(here.object('Agent/default/a').status).toMatchObject({
      lastAppliedRevision: good,
      lastAttemptedRevision: commit,
    })
    expect(here.object('Agent/default/b')).toMatchObject({ generation: 2, lastAppliedRevision: commit })
    expect(here.object('Agent/default/c').lastAppliedRevision).toBe(commit)
    const message = expect.stringMatching(/^a\.yaml:6:3: spec has no field replics; .*replicas/)
    expect(here.condition('Agent/default/a', 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ValidationFailed',
      message,
    })
    expect(here.condition('Source/state', 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ValidationFailed',
      message,
    })
    expect(here.stateward.sync.state.sync?.outcome).toBe('partial')
    expect(here.object('Source/state').status['issues']).toMatchObject([
      { code: 'SW_UNKNOWN_FIELD', file: 'a.yaml', line: 6, column: 3, object: 'Agent/default/a' },
    ])
    expect(here.log).toContainEqual(expect.objectContaining({ place: 'a.yaml:6:3', code: 'SW_UNKNOWN_FIELD' }))

    await here.apply({ 'a.yaml': agent('a', { ...PER_TASK, replicas: 3 }) })
    await here.untilCondition('Source/state', 'Ready', 'True')
    expect(here.object('Agent/default/a')).toMatchObject({ generation: 2 })
    expect(here.object('Source/state').status['issues']).toEqual([])
  })

  it('deletes nothing when a file cannot be read at all, and applies the rest', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK), 'b.yaml': agent('b', PER_TASK) })
    await here.apply({ 'a.yaml': 'kind: [unclosed\n', 'c.yaml': agent('c', PER_TASK) })
    expect(here.object('Agent/default/a').deleting).toBe(false)
    expect(here.object('Agent/default/c').generation).toBe(1)
    for (const key of ['Source/state', 'Agent/default/a']) {
      expect(here.condition(key, 'Ready')).toMatchObject({
        status: 'False',
        reason: 'ValidationFailed',
        message: expect.stringMatching(/^a\.yaml:\d+:\d+: /),
      })
    }
    await here.stop()
    await here.start()
    expect(here.object('Agent/default/a').deleting).toBe(false)
    await here.apply({ 'a.yaml': agent('a', PER_TASK) })
    await here.untilCondition('Source/state', 'Ready', 'True')
    expect(here.condition('Agent/default/a', 'Ready')?.status).toBe('True')
  })

  it('says of a document that never was good where it is wrong, on the source', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK) })
    await here.apply({ 'new.yaml': manifest('Agent', 'new', { runtime: { process: { command: 'node' } } }) })
    expect(here.stateward.world.objects.has('Agent/default/new')).toBe(false)
    expect(here.condition('Source/state', 'Ready')?.message).toMatch(/^new\.yaml:\d+:\d+: /)
  })

  it('blocks what names something that is not there, until it is', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK) })
    await here.apply({ 'b.yaml': agent('b', { ...PER_TASK, projectRef: { name: 'p' } }) })
    expect(here.stateward.world.objects.has('Agent/default/b')).toBe(false)
    expect(here.condition('Source/state', 'Ready')).toMatchObject({ reason: 'ValidationFailed' })
    await here.apply({ 'p.yaml': manifest('Project', 'p', {}) })
    await here.untilCondition('Agent/default/b', 'Ready', 'True')
    await here.untilCondition('Source/state', 'Ready', 'True')
  })
})

describe('what an object inherits', () => {
  it('restarts exactly the agents of a template that was edited, and moves no generation', async () => {
    const template = (seconds: string) =>
      manifest('AgentTemplate', 't', { runtime: { process: { command: ['sleep', seconds] } } })
    const here = await started({
      't.yaml': template('1000'),
      'a.yaml': agent('a', { runtime: {}, templateRef: { name: 't' } }),
      'b.yaml': agent('b', { runtime: {}, templateRef: { name: 't' } }),
      'c.yaml': agent('c', SLEEPER),
    })
    const names = ['a', 'b', 'c']
    const pids = () => Promise.all(names.map(async (name) => (await here.pids(`Agent/default/${name}`))[0]))
    const before = await until('three processes', async () => {
      const found = await pids()
      return found.every((pid) => pid !== undefined) && found
    })
    await here.apply({ 't.yaml': template('1001') })
    const after = await until('two other processes', async () => {
      const found = await pids()
      return found.every((pid) => pid !== undefined) && found[0] !== before[0] && found[1] !== before[1] && found
    })
    expect(after[2]).toBe(before[2])
    expect(here.object('Agent/default/a').generation).toBe(1)
    const changes = here.stateward.sync.state.sync!.changes
    expect(changes.map(({ action, name, reason }) => `${action} ${name} ${reason ?? ''}`.trim()).sort()).toEqual([
      'update a cause: AgentTemplate/default/t',
      'update b cause: AgentTemplate/default/t',
      'update t',
    ])
  })

  it('restarts exactly the agents whose directory of the repo changed', async () => {
    const withFiles = (name: string, workdir: string) =>
      agent(name, { runtime: { process: { command: ['sh', 'run.sh'], workdir } } })
    const here = await started({
      'a.yaml': withFiles('a', 'code/one'),
      'b.yaml': withFiles('b', 'code/one'),
      'c.yaml': withFiles('c', 'code/two'),
      'code/one/run.sh': 'echo first; exec sleep 1000\n',
      'code/two/run.sh': 'exec sleep 1000\n',
    })
    const names = ['a', 'b', 'c']
    const pids = () => Promise.all(names.map(async (name) => (await here.pids(`Agent/default/${name}`))[0]))
    const before = await until('three processes', async () => {
      const found = await pids()
      return found.every((pid) => pid !== undefined) && found
    })
    await here.apply({ 'code/one/run.sh': 'echo second; exec sleep 1000\n' })
    const after = await until('two other processes', async () => {
      const found = await pids()
      return found.every((pid) => pid !== undefined) && found[0] !== before[0] && found[1] !== before[1] && found
    })
    expect(after[2]).toBe(before[2])
    expect(here.object('Agent/default/a').generation).toBe(1)
    expect(here.stateward.sync.state.sync!.changes.map(({ name, reason }) => `${name} ${reason}`).sort()).toEqual([
      'a cause: code/one',
      'b cause: code/one',
    ])
  })

  it('follows the overrides of its environment, and goes back when they are gone', async () => {
    const environment = (overrides: object[]) => manifest('Environment', 'default', { overrides })
    const here = await started({
      'env.yaml': environment([]),
      'a.yaml': agent('a', SLEEPER),
      'b.yaml': agent('b', PER_TASK),
    })
    const count = (n: number) => until(`${n} processes`, async () => (await here.pids('Agent/default/a')).length === n)
    await count(1)
    await here.apply({
      'env.yaml': environment([{ target: { kind: 'Agent', name: 'a' }, patch: { replicas: 2 } }]),
    })
    await count(2)
    expect(here.object('Agent/default/a').generation).toBe(1)
    expect(here.object('Agent/default/b').lastAppliedRevision).not.toBe(
      here.object('Agent/default/a').lastAppliedRevision,
    )
    await here.apply({ 'env.yaml': environment([]) })
    await count(1)
  })
})

describe('what an object depends on', () => {
  it('is waited for: an agent starts when what it depends on is ready', async () => {
    const here = await started({
      'a.yaml': agent('a', { runtime: { process: { command: ['no-such-program'], mode: 'perTask' } } }),
      'b.yaml': agent('b', { ...SLEEPER, dependsOn: [{ kind: 'Agent', name: 'a' }] }),
    })
    expect(here.condition('Agent/default/a', 'Ready')).toMatchObject({ status: 'False', reason: 'CommandNotFound' })
    expect(here.condition('Agent/default/b', 'Ready')).toMatchObject({
      status: 'False',
      reason: 'DependencyNotReady',
      message: expect.stringContaining('Agent/default/a'),
    })
    expect(await here.pids('Agent/default/b')).toEqual([])
    await here.apply({ 'a.yaml': agent('a', PER_TASK) })
    await until('the process of b', async () => (await here.pids('Agent/default/b')).length === 1)
  })

  it('shows when it is removed: what runs goes on, and it says what is missing', async () => {
    const here = await started({
      'p.yaml': manifest('Project', 'p', {}),
      'a.yaml': agent('a', { ...SLEEPER, projectRef: { name: 'p' } }),
    })
    const [pid] = await until('the process of a', async () => {
      const found = await here.pids('Agent/default/a')
      return found.length === 1 && found
    })
    await here.apply({ 'p.yaml': null })
    await here.untilCondition('Agent/default/a', 'Ready', 'False', 'ReferenceNotFound')
    expect(here.condition('Agent/default/a', 'Stalled')?.message).toBe('Project p does not exist')
    expect(await here.pids('Agent/default/a')).toEqual([pid])
    await here.apply({ 'p.yaml': manifest('Project', 'p', {}) })
    await until('a to go on', () => here.condition('Agent/default/a', 'Stalled') === null)
    expect(await here.pids('Agent/default/a')).toEqual([pid])
  })
})

describe('a reconcile that is asked for', () => {
  it('writes nothing when there is nothing to do', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK), 'b.yaml': agent('b', PER_TASK) })
    await here.untilCondition('Source/state', 'Ready', 'True')
    await here.stateward.settled()
    const before = { seq: await here.logSeq(), versions: await rowVersions(here) }
    expect((await here.post('/api/v1/reconcile', {})).status).toBe(202)
    expect((await here.post('/api/v1/reconcile', { kind: 'agent', name: 'a' })).status).toBe(202)
    const synced = await here.post('/api/v1/sources/state/sync', {})
    expect(synced).toMatchObject({ status: 200, body: { sync: null } })
    await here.stateward.settled()
    expect({ seq: await here.logSeq(), versions: await rowVersions(here) }).toEqual(before)
  })
})
