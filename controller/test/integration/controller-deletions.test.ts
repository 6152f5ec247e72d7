import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { git } from '../support/git-remote.ts'
import { agent } from '../support/state-files.ts'
import { createInstallation, type Installation, isRunning, PER_TASK, SLEEPER, storyOf } from '../support/stateward.ts'

const open: Installation[] = []
async function started(files: Parameters<Installation['apply']>[0], flags: object = {}): Promise<Installation> {
  const installation = await createInstallation(files)
  open.push(installation)
  await installation.start({ ...flags })
  return installation
}
afterEach(async () => {
  for (const installation of open.splice(0)) await installation.end()
})

const STATUS = 'refs/heads/stateward/status'
const gone = (here: Installation, key: string) =>
  until(`${key} to be gone`, () => !here.stateward.world.objects.has(key))
/** None before the first status commit. */
const statusFiles = (here: Installation) =>
  git(here.repo, ['for-each-ref', STATUS]) === ''
    ? []
    : git(here.repo, ['ls-tree', '-r', '--name-only', STATUS]).split('\n')
const pidOf = async (here: Installation, key: string): Promise<number> => {
  const [pid] = await until(`a process of ${key}`, async () => {
    const found = await here.pids(key)
    return found.length === 1 && found
  })
  return pid!
}

/** Ignores TERM, so that it ends only when its grace is over. */
const STUBBORN = {
  runtime: { process: { command: ['sh', '-c', "trap '' TERM; exec sleep 1000"] } },
  terminationGracePeriodSeconds: 1,
}

describe('an object whose document is removed', () => {
  it('is stopped, then its row and its status file go', async () => {
    const here = await started({ 'a.yaml': agent('a', SLEEPER), 'b.yaml': agent('b', PER_TASK) })
    const pid = await pidOf(here, 'Agent/default/a')
    await until('its status file', () => statusFiles(here).includes('default/agents/a.yaml'))
    const seq = await here.logSeq()
    await here.apply({ 'a.yaml': null })
    await gone(here, 'Agent/default/a')
    expect(isRunning(pid)).toBe(false)
    expect(await here.sql`SELECT 1 FROM objects WHERE kind = 'Agent' AND name = 'a'`).toHaveLength(0)
    await until('its status file to go', () => !statusFiles(here).includes('default/agents/a.yaml'))
    const story = storyOf(await here.events(seq))
    const expected = ['object.deleting a', 'source.revision.applied', 'agent.instance.ended', 'object.deleted a']
    expect(story.filter((line) => expected.includes(line))).toEqual(expected)
  })

  it('stays, with its deletion time, until it is confirmed gone', async () => {
    const here = await started({ 'a.yaml': agent('a', STUBBORN), 'b.yaml': agent('b', PER_TASK) })
    const pid = await pidOf(here, 'Agent/default/a')
    here.push({ 'a.yaml': null })
    await here.untilCondition('Agent/default/a', 'Ready', 'False', 'Terminating')
    expect(here.object('Agent/default/a').deletionTimestamp).not.toBeNull()
    expect(isRunning(pid)).toBe(true)
    await gone(here, 'Agent/default/a')
    expect(isRunning(pid)).toBe(false)
  })

  it('is created again, as another object, when it comes back while it is being removed', async () => {
    const here = await started({ 'a.yaml': agent('a', STUBBORN), 'b.yaml': agent('b', PER_TASK) })
    const pid = await pidOf(here, 'Agent/default/a')
    const { uid } = here.object('Agent/default/a')
    here.push({ 'a.yaml': null })
    await until('its removal', () => here.object('Agent/default/a').deleting)
    here.push({ 'a.yaml': agent('a', SLEEPER) })
    const again = await until('the new one', () => {
      const object = here.stateward.world.get('Agent/default/a')
      return object !== undefined && object.uid !== uid && object
    })
    expect(again).toMatchObject({ generation: 1, deleting: false })
    expect(isRunning(pid)).toBe(false)
    expect(await pidOf(here, 'Agent/default/a')).not.toBe(pid)
  })

  it('goes on being removed by the next process', async () => {
    const files = { 'a.yaml': agent('a', STUBBORN), 'b.yaml': agent('b', PER_TASK) }
    const here = await started(files, { keepAgents: true })
    const pid = await pidOf(here, 'Agent/default/a')
    here.push({ 'a.yaml': null })
    await until('its removal', () => here.object('Agent/default/a').deleting)
    await here.stop()
    expect(isRunning(pid)).toBe(true)
    await here.start()
    await gone(here, 'Agent/default/a')
    expect(isRunning(pid)).toBe(false)
  })

  it('is kept when it says that it may not be pruned', async () => {
    const kept = { annotations: { 'stateward.dev/prune': 'disabled' } }
    const here = await started({ 'a.yaml': agent('a', SLEEPER, kept), 'b.yaml': agent('b', PER_TASK) })
    const pid = await pidOf(here, 'Agent/default/a')
    await here.apply({ 'a.yaml': null })
    expect(here.stateward.sync.state.sync?.counts).toMatchObject({ delete: 0, skip: 1 })
    expect(here.object('Agent/default/a').deleting).toBe(false)
    expect(isRunning(pid)).toBe(true)
    const seq = await here.logSeq()
    await here.post('/api/v1/reconcile', {})
    await here.stateward.settled()
    expect(await here.logSeq()).toBe(seq)
    // Back in Git without the annotation, then removed: now it goes.
    await here.apply({ 'a.yaml': agent('a', SLEEPER) })
    await here.apply({ 'a.yaml': null })
    await gone(here, 'Agent/default/a')
  })
})

describe('a commit that deletes more than the limit', () => {
  const names = Array.from({ length: 10 }, (_, i) => `a${i}`)
  const all = Object.fromEntries(names.map((name) => [`${name}.yaml`, agent(name, PER_TASK)]))
  const without = (count: number) => Object.fromEntries(names.slice(0, count).map((name) => [`${name}.yaml`, null]))
  const agents = (here: Installation) => [...here.stateward.world.ofKind('Agent').values()]

  it('is held back as far as it deletes, and says how to let it through', async () => {
    const here = await started(all)
    const commit = await here.apply({ ...without(6), 'new.yaml': agent('new', PER_TASK) })
    expect(agents(here)).toHaveLength(11)
    expect(agents(here).some((object) => object.deleting)).toBe(false)
    expect(here.stateward.sync.state.sync).toMatchObject({ outcome: 'partial', counts: { blocked: 6, create: 1 } })
    const ready = here.condition('Source/state', 'Ready')
    expect(ready).toMatchObject({ status: 'False', reason: 'PartiallyApplied' })
    expect(ready?.message).toContain(`approve deletions ${commit.slice(0, 12)}`)

    const wrong = await here.post('/api/v1/sources/state/deletions/approve', { revision: 'f'.repeat(40) })
    expect(wrong.status).toBe(404)
    const seq = await here.logSeq()
    const approved = await here.post('/api/v1/sources/state/deletions/approve', { revision: commit.slice(0, 12) })
    expect(approved).toMatchObject({ status: 200, body: { revision: commit, deletions: 6 } })
    await until('six agents to go', () => agents(here).length === 5)
    await here.untilCondition('Source/state', 'Ready', 'True')
    const events = await here.events(seq)
    const told = events.find(({ event_name: name }) => name === 'stateward.source.deletions.approved')
    expect(told).toMatchObject({ actor: 'user:ada' })
    expect(storyOf(events).filter((line) => line.startsWith('object.deleted'))).toHaveLength(6)
  })

  it('goes through when its message allows exactly that many', async () => {
    const here = await started(all)
    await here.apply(without(6), 'Clean up\n\nStateward-Allow-Deletions: 6\n')
    await until('six agents to go', () => agents(here).length === 4)
  })

  it('is not let through by splitting it', async () => {
    const here = await started(all)
    await here.apply(without(5))
    await until('five agents to go', () => agents(here).length === 5)
    await here.apply(without(6))
    expect(here.stateward.sync.state.sync?.counts).toMatchObject({ blocked: 1, delete: 0 })
    expect(agents(here)).toHaveLength(5)
  })

  it('is forgotten when the files come back', async () => {
    const here = await started(all)
    await here.apply(without(6))
    const back = await here.apply(
      Object.fromEntries(names.slice(0, 6).map((name) => [`${name}.yaml`, all[`${name}.yaml`]!])),
    )
    await here.untilCondition('Source/state', 'Ready', 'True')
    expect(agents(here)).toHaveLength(10)
    expect((await here.post('/api/v1/sources/state/deletions/approve', { revision: back })).status).toBe(404)
  })

  it('still is held back after a restart', async () => {
    const here = await started(all)
    const commit = await here.apply(without(6))
    await here.stop()
    await here.start()
    expect(agents(here)).toHaveLength(10)
    expect(here.condition('Source/state', 'Ready')).toMatchObject({ reason: 'PartiallyApplied' })
    await here.post('/api/v1/sources/state/deletions/approve', { revision: commit })
    await until('six agents to go', () => agents(here).length === 4)
  })
})
