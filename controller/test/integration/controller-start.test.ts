import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { git, tipOf } from '../support/git-remote.ts'
import { agent } from '../support/state-files.ts'
import {
  commitsOf,
  createInstallation,
  type Installation,
  isRunning,
  PER_TASK,
  SLEEPER,
  storyOf,
} from '../support/stateward.ts'

const open: Installation[] = []
async function installed(...files: Parameters<typeof createInstallation>): Promise<Installation> {
  const installation = await createInstallation(...files)
  open.push(installation)
  return installation
}
afterEach(async () => {
  for (const installation of open.splice(0)) await installation.end()
})

const STATUS = 'refs/heads/stateward/status'
const NOTES = 'refs/notes/stateward'

describe('the first start', () => {
  it('makes a state repo from the starter and brings up everything it declares', async () => {
    const here = await installed(null)
    const stateward = await here.start()
    expect(stateward.first?.sync.outcome).toBe('applied')
    expect(stateward.first?.sync.issues).toEqual([])
    expect(stateward.first?.sync.to_revision).toBe(tipOf(here.repo, 'refs/heads/main'))
    expect(stateward.first?.sync.counts.create).toBe(stateward.world.objects.size)
    await here.untilCondition('Source/state', 'Ready', 'True')
    const notReady = [...stateward.world.objects].flatMap(([key, { status }]) =>
      status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True' ? [] : [key],
    )
    expect(notReady.sort()).toEqual([])
    expect(await here.pids('Agent/default/sre')).toHaveLength(1)
    expect((await fetch(`${stateward.url}/readyz`)).status).toBe(200)
    expect(JSON.parse(readFileSync(join(here.dataDir, 'server.json'), 'utf8'))).toMatchObject({ pid: process.pid })
  })

  it('records what happened in order: objects by dependency, the revision, then what follows from them', async () => {
    const here = await installed({
      'a.yaml': agent('worker', { templateRef: { name: 'base' } }),
      'b.yaml': `apiVersion: stateward.dev/v1alpha1\nkind: AgentTemplate\nmetadata: {name: base}\nspec: ${JSON.stringify(PER_TASK)}\n`,
    })
    await here.start()
    const story = storyOf(await here.events())
    const applied = story.indexOf('source.revision.applied')
    const order = story.slice(0, applied)
    expect([...order].sort()).toEqual([
      'object.created base',
      'object.created local',
      'object.created state',
      'object.created worker',
    ])
    expect(order.indexOf('object.created base')).toBeLessThan(order.indexOf('object.created worker'))
    expect(story.slice(applied + 1)).toContain('object.status_changed worker')
    expect(story.slice(applied + 1)).not.toContain('object.created worker')
  })

  it('starts on a repo without its branch, says so, and applies the branch once it is pushed', async () => {
    const here = await installed({})
    git(here.repo, ['update-ref', '-d', 'refs/heads/main'])
    const stateward = await here.start()
    expect(stateward.first).toBeNull()
    expect(stateward.sync.state.failure).toMatchObject({ code: 'SW_REF_MISSING' })
    expect(stateward.world.objects.size).toBe(0)
    expect((await fetch(`${stateward.url}/readyz`)).status).toBe(503)
    await here.apply({ 'a.yaml': agent('a', PER_TASK) })
    await here.untilCondition('Agent/default/a', 'Ready', 'True')
    expect((await fetch(`${stateward.url}/readyz`)).status).toBe(200)
  })
})

describe('a start on the data folder of another one', () => {
  it('finds the same objects and writes no row, no event and no commit', async () => {
    const here = await installed({ 'a.yaml': agent('a', PER_TASK), 'note.yaml': 'just: yaml\n' })
    await here.start()
    await here.untilCondition('Source/state', 'Ready', 'True')
    await until('the note', () => tipOf(here.repo, NOTES))
    await here.stop()
    const before = { ...(await rows(here)), status: commitsOf(here.repo, STATUS), notes: commitsOf(here.repo, NOTES) }

    const again = await here.start()
    expect(again.first).toBeNull()
    await again.settled()
    await here.post('/api/v1/sources/state/sync', {})
    await again.settled()
    await here.stop()
    const after = { ...(await rows(here)), status: commitsOf(here.repo, STATUS), notes: commitsOf(here.repo, NOTES) }
    expect(after).toEqual(before)
  })

  it('keeps what was broken broken, with the same problem, and writes nothing about it again', async () => {
    const here = await installed({ 'a.yaml': agent('a', PER_TASK), 'b.yaml': agent('b', { replics: 3 }) })
    await here.start()
    const said = here.condition('Source/state', 'Ready')
    expect(said).toMatchObject({ status: 'False', reason: 'ValidationFailed' })
    await here.stop()
    const before = await rows(here)
    await here.start()
    expect(await rows(here)).toEqual(before)
    expect(here.condition('Source/state', 'Ready')).toEqual(said)
  })

  it('applies what was committed meanwhile', async () => {
    const here = await installed({ 'a.yaml': agent('a', PER_TASK), 'b.yaml': agent('b', PER_TASK) })
    await here.start()
    const { uid } = here.object('Agent/default/a')
    await here.stop()
    here.push({ 'a.yaml': agent('a', { ...PER_TASK, replicas: 2 }), 'b.yaml': null, 'c.yaml': agent('c', PER_TASK) })
    const again = await here.start()
    expect(again.first?.sync.counts).toMatchObject({ create: 1, update: 1, delete: 1 })
    expect(here.object('Agent/default/a')).toMatchObject({ uid, generation: 2 })
    await until('b to be gone', () => !again.world.objects.has('Agent/default/b'))
  })

  it('adopts agents that were left running: the same processes, none twice', async () => {
    const here = await installed({ 'a.yaml': agent('a', { ...SLEEPER, replicas: 2 }) })
    await here.start({ keepAgents: true })
    const pids = await until('two processes', async () => {
      const found = await here.pids('Agent/default/a')
      return found.length === 2 && found
    })
    await here.stop()
    expect(pids.map(isRunning)).toEqual([true, true])
    await here.start()
    expect(await here.pids('Agent/default/a')).toEqual(pids)
    const story = storyOf(await here.events())
    expect(story.filter((line) => line.startsWith('agent.instance.adopted'))).toHaveLength(2)
    expect(story.filter((line) => line.startsWith('agent.instance.started'))).toHaveLength(2)
    await here.stop()
    expect(pids.map(isRunning)).toEqual([false, false])
  })

  it('starts the agents anew when they were stopped with it', async () => {
    const here = await installed({ 'a.yaml': agent('a', SLEEPER) })
    await here.start()
    const [first] = await until('a process', async () => {
      const found = await here.pids('Agent/default/a')
      return found.length === 1 && found
    })
    await here.stop()
    expect(isRunning(first!)).toBe(false)
    await here.start()
    const [second] = await until('a process', async () => {
      const found = await here.pids('Agent/default/a')
      return found.length === 1 && found
    })
    expect(second).not.toBe(first)
  })
})

describe('the stop', () => {
  it('removes the address file and frees the data folder', async () => {
    const here = await installed({ 'a.yaml': agent('a', PER_TASK) })
    await here.start()
    await here.stop()
    expect(existsSync(join(here.dataDir, 'server.json'))).toBe(false)
    expect(existsSync(join(here.dataDir, 'lock'))).toBe(false)
    await here.start()
  })

  it('lets a second process on the same database stand by, and it leads when the first has ended', async () => {
    const here = await installed({ 'a.yaml': agent('a', PER_TASK) })
    const first = await here.start()
    const second = await here.start()
    expect([first.leads, second.leads]).toEqual([true, false])
    expect((await fetch(`${second.url}/readyz`)).status).toBe(200)
    expect(second.world.get('Agent/default/a')?.uid).toBe(first.world.get('Agent/default/a')?.uid)
    await first.stop()
    await until('the second to lead', () => second.leads)
    await here.apply({ 'b.yaml': agent('b', PER_TASK) })
    expect(here.object('Agent/default/b').generation).toBe(1)
  })
})

/** Everything a start could write, besides the row of the process itself and the event that says it is there. */
async function rows({ sql }: Installation) {
  const [log] = await sql`SELECT count(*) FROM events WHERE event_name <> 'stateward.bus.restarted'`
  const objects = await sql`SELECT uid, resource_version, generation, status FROM objects ORDER BY uid`
  const syncs = await sql`SELECT id FROM syncs ORDER BY seq`
  const files = await sql`SELECT path, oid FROM source_files ORDER BY path`
  const heads = await sql`SELECT * FROM source_heads`
  return { log: { ...log }, objects: [...objects], syncs: [...syncs], files: [...files], heads: [...heads] }
}
