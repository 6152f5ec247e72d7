import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { commitFiles, git, tipOf } from '../support/git-remote.ts'
import { agent } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK, SLEEPER, storyOf } from '../support/stateward.ts'

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

const AGENT = { kind: 'agent', name: 'a' }
const suspend = (here: Installation, more: object = {}) =>
  here.post('/api/v1/objects/suspend', { ...AGENT, reason: 'too loud', merge: false, ...more })
const resume = (here: Installation, more: object = {}) =>
  here.post('/api/v1/objects/resume', { ...AGENT, merge: false, ...more })
const suspended = (here: Installation) => here.untilCondition('Agent/default/a', 'Suspended', 'True')
const running = (here: Installation) =>
  until('a to go on', () => here.condition('Agent/default/a', 'Suspended') === null)

/** As a person writes it, with comments and a style of their own. */
const WRITTEN = `# Who watches the alerts.
apiVersion: stateward.dev/v1alpha1
kind: Agent
metadata: { name: a } # short on purpose
spec:
  # One is enough.
  replicas: 1
  runtime:
    process: { command: [cat], mode: "perTask" }
`

describe('suspending an object', () => {
  it('pauses it at once and proposes the same as a commit that changes one line', async () => {
    const here = await started({ 'a.yaml': WRITTEN })
    const main = tipOf(here.repo, 'refs/heads/main')
    const seq = await here.logSeq()
    const { status, body } = await suspend(here)
    expect(status).toBe(200)
    expect(body).toMatchObject({ suspended: true, branch: 'proposals/suspend-agent-a', merged: false })
    await suspended(here)
    expect(here.condition('Agent/default/a', 'Suspended')).toMatchObject({
      reason: 'Suspended',
      message: 'suspended by user:ada: too loud',
    })
    expect(here.condition('Agent/default/a', 'Ready')).toMatchObject({ status: 'Unknown', reason: 'Suspended' })
    expect(here.object('Agent/default/a').status).toMatchObject({
      phase: 'Paused',
      overrides: [{ path: '/spec/suspend', value: true, actor: 'user:ada', reason: 'too loud' }],
    })
    // What somebody wanted is no fault of the source.
    await here.untilCondition('Source/state', 'Ready', 'True')
    expect(await here.events(seq)).toContainEqual(
      expect.objectContaining({ event_name: 'stateward.object.suspended', actor: 'user:ada' }),
    )

    expect(tipOf(here.repo, 'refs/heads/main')).toBe(main)
    expect(git(here.repo, ['rev-parse', `${body['branch']}^`])).toBe(main)
    const diff = git(here.repo, ['diff', '--numstat', 'main', String(body['branch'])])
    expect(diff).toBe('1\t0\ta.yaml')
    expect(git(here.repo, ['diff', 'main', String(body['branch'])])).toContain('+  suspend: true')
    const message = git(here.repo, ['log', '-1', '--format=%B', String(body['branch'])])
    expect(message).toContain('too loud')
    expect(message).toContain('Stateward-Actor: user:ada')
  })

  it('stays in force over commits and restarts', async () => {
    const here = await started({ 'a.yaml': WRITTEN })
    await suspend(here)
    await suspended(here)
    await here.apply({ 'a.yaml': WRITTEN.replace('replicas: 1', 'replicas: 2') })
    expect(here.condition('Agent/default/a', 'Suspended')?.status).toBe('True')
    await here.stop()
    await here.start()
    await suspended(here)
    expect(here.object('Agent/default/a').spec['suspend']).toBeUndefined()
  })

  it('ends as an override when its proposal is merged, and stays suspended by Git', async () => {
    const here = await started({ 'a.yaml': WRITTEN })
    const { body } = await suspend(here)
    await suspended(here)
    git(here.repo, ['update-ref', 'refs/heads/main', String(body['commit'])])
    await until('the commit', () => here.object('Agent/default/a').spec['suspend'] === true)
    await here.stateward.settled()
    await until('the override to end', () => here.object('Agent/default/a').status['overrides'] === undefined)
    expect(here.condition('Agent/default/a', 'Suspended')).toMatchObject({ message: 'spec.suspend is true' })
    expect(await here.sql`SELECT 1 FROM overrides`).toHaveLength(0)
  })

  it('puts the commit on main with --merge', async () => {
    const here = await started({ 'a.yaml': WRITTEN })
    const { body } = await suspend(here, { merge: true })
    expect(body).toMatchObject({ branch: null, merged: true, commit: tipOf(here.repo, 'refs/heads/main') })
    await until('the commit', () => here.object('Agent/default/a').spec['suspend'] === true)
    await here.stateward.settled()
    expect(await here.sql`SELECT 1 FROM overrides`).toHaveLength(0)
    const resumed = await resume(here, { merge: true })
    expect(resumed.body).toMatchObject({ merged: true, commit: tipOf(here.repo, 'refs/heads/main') })
    await until('the commit', () => here.object('Agent/default/a').spec['suspend'] === undefined)
    await running(here)
    await here.stateward.settled()
    expect(await here.sql`SELECT 1 FROM overrides`).toHaveLength(0)
    // Back to what it was, byte for byte.
    expect(git(here.repo, ['show', 'main:a.yaml'])).toBe(WRITTEN.trimEnd())
  })

  it('leaves a running process alone', async () => {
    const here = await started({ 'a.yaml': agent('a', SLEEPER) })
    const pids = await until('a process', async () => {
      const found = await here.pids('Agent/default/a')
      return found.length === 1 && found
    })
    await suspend(here)
    await suspended(here)
    await here.apply({ 'a.yaml': agent('a', { runtime: { process: { command: ['sleep', '1001'] } } }) })
    expect(await here.pids('Agent/default/a')).toEqual(pids)
    await resume(here)
    await until('the new revision', async () => {
      const found = await here.pids('Agent/default/a')
      return found.length === 1 && found[0] !== pids[0]
    })
  })

  it('ends by itself when its time is up', async () => {
    const here = await started({ 'a.yaml': WRITTEN })
    const expires = new Date(Date.now() + 400).toISOString()
    await suspend(here, { expires_at: expires })
    await suspended(here)
    expect(here.object('Agent/default/a').status['overrides']).toMatchObject([{ expiresAt: expires }])
    await running(here)
    expect(storyOf(await here.events())).toContain('override.expired a')
  })

  it('says no for what is not there', async () => {
    const here = await started({ 'a.yaml': WRITTEN })
    expect((await suspend(here, { name: 'b' })).status).toBe(404)
    expect((await resume(here)).status).toBe(409)
  })
})

describe('resuming an object', () => {
  it('ends the override and proposes nothing when Git never said suspend', async () => {
    const here = await started({ 'a.yaml': WRITTEN })
    await suspend(here)
    await suspended(here)
    const { status, body } = await resume(here)
    expect({ status, body }).toMatchObject({ status: 200, body: { branch: null, commit: null } })
    await running(here)
  })

  it('wins over Git until Git follows', async () => {
    const here = await started({ 'a.yaml': WRITTEN.replace('spec:\n', 'spec:\n  suspend: true\n') })
    await suspended(here)
    const { body } = await resume(here)
    expect(body).toMatchObject({ branch: 'proposals/resume-agent-a', merged: false })
    await running(here)
    expect(git(here.repo, ['show', 'proposals/resume-agent-a:a.yaml'])).toBe(WRITTEN.trimEnd())
    // Somebody commits something else: still resumed.
    commitFiles(here.repo, { 'b.yaml': agent('b', PER_TASK) })
    await until('b', () => here.stateward.world.objects.has('Agent/default/b'))
    expect(here.condition('Agent/default/a', 'Suspended')).toBeNull()
  })
})
