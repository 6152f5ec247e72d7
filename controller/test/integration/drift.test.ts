import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { until } from '../support/agent-fleet.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'
import { git } from '../support/git-remote.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, isRunning, PER_TASK } from '../support/stateward.ts'

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

interface Listed {
  readonly id: string
  readonly source: string
  readonly field: string
  readonly live: unknown
  readonly declared: unknown
  readonly detail: string
  readonly branch: string | null
}
const listed = async (here: Installation, query = '') =>
  (await here.ask('GET', `/api/v1/drift${query}`)).body['items'] as readonly Listed[]
const only = (here: Installation) =>
  until('one difference to be found', async () => {
    const found = await listed(here)
    return found.length === 1 ? found[0]! : null
  })
const gone = (here: Installation) => until('nothing to differ', async () => (await listed(here)).length === 0)
const enforce = (here: Installation, { id }: Listed, body: object = {}) =>
  here.post(`/api/v1/drift/${id}/enforce`, body)
const adopt = (here: Installation, { id }: Listed, body: object = {}) => here.post(`/api/v1/drift/${id}/adopt`, body)
const drifted = (here: Installation, key: `Agent/default/${string}` = 'Agent/default/a') =>
  here.untilCondition(key, 'Drifted', 'True')
const merge = (here: Installation, branch: unknown) =>
  git(here.repo, ['update-ref', 'refs/heads/main', `refs/heads/${String(branch)}`])
const names = async (here: Installation) =>
  (await here.events()).map(({ event_name }) => event_name).filter((name) => name.startsWith('stateward.drift.'))

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

describe('what somebody set at once', () => {
  it('is a difference until it is put back', async () => {
    const here = await started({ 'a.yaml': WRITTEN })
    expect(await listed(here)).toEqual([])
    await here.post('/api/v1/objects/suspend', { kind: 'agent', name: 'a', reason: 'too loud', merge: false })
    const detail = 'spec.suspend is true, set by user:ada: too loud; Git says nothing'
    expect(await drifted(here)).toMatchObject({ reason: 'Drifted', message: detail })
    const drift = await only(here)
    expect(drift).toMatchObject({ source: 'override', field: '/spec/suspend', live: true, declared: null, detail })
    expect(await listed(here, '?source=file')).toEqual([])

    expect(await enforce(here, drift, { reason: 'it is quiet now' })).toMatchObject({
      status: 202,
      body: { enforcing: true },
    })
    await gone(here)
    await until('a to go on', () => here.condition('Agent/default/a', 'Suspended') === null)
    await until('the condition to be gone', () => here.condition('Agent/default/a', 'Drifted') === null)
    expect(await names(here)).toEqual([
      'stateward.drift.detected',
      'stateward.drift.enforced',
      'stateward.drift.cleared',
    ])
    expect((await enforce(here, drift)).status).toBe(404)
  })

  it('ends the intervention that set it', async () => {
    const here = await started({ 'a.yaml': WRITTEN })
    await here.post('/api/v1/agents/a/pause', { reason: 'it restarts what it should not' })
    await enforce(here, await only(here))
    await gone(here)
    const { body } = await here.ask('GET', '/api/v1/interventions')
    expect(body['items']).toMatchObject([{ action: 'pause', in_force: false, ended_why: 'enforced' }])
  })

  it('is taken over by a proposal of one line', async () => {
    const here = await started({ 'a.yaml': WRITTEN })
    await here.post('/api/v1/agents/a/terminate', { reason: 'not needed' })
    const drift = await only(here)
    expect(drift).toMatchObject({ field: '/spec/replicas', live: 0, declared: 1 })
    const { status, body } = await adopt(here, drift, { reason: 'it stays so' })
    expect(status).toBe(202)
    const branch = String(body['branch'])
    expect(branch).toBe('proposals/adopt-replicas-agent-a')
    expect(git(here.repo, ['diff', '--numstat', 'main', branch])).toBe('1\t1\ta.yaml')
    expect(git(here.repo, ['diff', 'main', branch])).toContain('+  replicas: 0')
    const message = git(here.repo, ['log', '-1', '--format=%B', branch])
    expect(message).toContain('adopt replicas of Agent default/a')
    expect(message).toContain(`Stateward-Drift: ${drift.id}`)
    const proposals = (await here.ask('GET', '/api/v1/proposals')).body['items'] as { readonly branch: string }[]
    expect(proposals.map(({ branch: each }) => each)).toContain(branch)
    expect((await listed(here))[0]).toMatchObject({ branch })

    merge(here, branch)
    await here.post('/api/v1/sources/state/sync', {})
    await gone(here)
    expect(here.object('Agent/default/a').spec['replicas']).toBe(0)
    await until('the condition to be gone', () => here.condition('Agent/default/a', 'Drifted') === null)
  })

  it('is found on every kind, and again after a restart', async () => {
    const here = await started({
      'b.yaml': manifest('Blueprint', 'b', { plan: [{ id: 'x', kind: 'gate', mode: 'manual' }] }),
    })
    await here.post('/api/v1/objects/suspend', { kind: 'blueprint', name: 'b', merge: false })
    const { id } = await only(here)
    await here.stop()
    await here.start()
    expect(await only(here)).toMatchObject({ id, detail: expect.stringContaining('spec.suspend is true') })
    expect(await names(here)).toEqual(['stateward.drift.detected'])
  })
})

/** It ends well the first time, and stays the second time. */
const ONCE = ['sh', '-c', 'test -e "$STATEWARD_WORKSPACE/was" && exec sleep 1000; touch "$STATEWARD_WORKSPACE/was"']

describe('processes that ended, of an agent that only warns', () => {
  it('are started again when somebody says so', async () => {
    const spec = { runtime: { process: { command: ONCE } } }
    const here = await started({
      'a.yaml': agent('a', spec, { annotations: { 'stateward.dev/driftMode': 'warn' } }),
    })
    expect((await drifted(here)).message).toBe('0 of 1 instances run, and driftMode is warn: nothing is started')
    const drift = await only(here)
    expect(drift).toMatchObject({ source: 'replicas', field: '/spec/replicas', live: 0, declared: 1 })
    await enforce(here, drift)
    await until('it to run', async () => (await here.pids('Agent/default/a')).some(isRunning))
    await gone(here)
  })

  it('are no longer declared when that is proposed', async () => {
    const spec = { replicas: 1, runtime: { process: { command: ['true'] } } }
    const here = await started({
      'a.yaml': agent('a', spec, { annotations: { 'stateward.dev/driftMode': 'warn' } }),
    })
    const { body } = await adopt(here, await only(here))
    expect(git(here.repo, ['diff', 'main', String(body['branch'])])).toContain('+  replicas: 0')
  })
})

describe('files of an agent that were changed on the machine', () => {
  const spec = { runtime: { process: { command: ['sleep', '1000'], workdir: 'agents/a' } } }
  const FILES = { 'a.yaml': agent('a', spec), 'agents/a/prompt.md': 'Be kind.\n', 'agents/a/lib/x.txt': 'x\n' }
  const changed = async () => {
    const here = await started(FILES)
    await until('it to run', async () => (await here.pids('Agent/default/a')).some(isRunning))
    const trees = join(here.dataDir, 'trees')
    const folder = join(trees, readdirSync(trees).find((name) => !name.startsWith('.'))!)
    const file = join(folder, 'prompt.md')
    chmodSync(folder, 0o755)
    chmodSync(file, 0o644)
    writeFileSync(file, 'Be quick.\n')
    writeFileSync(join(folder, 'cache.pyc'), '')
    const look = () => here.post('/api/v1/objects/reconcile', { kind: 'agent', name: 'a' })
    await until('it to be noticed', async () => {
      await look()
      return (await listed(here)).length > 0
    })
    return { here, file, look }
  }

  it('are written again', async () => {
    const { here, file, look } = await changed()
    const drift = await only(here)
    expect(drift).toMatchObject({ source: 'file', field: 'agents/a/prompt.md', live: { bytes: 10 } })
    expect((await drifted(here)).message).toBe('agents/a/prompt.md was changed on this machine')
    await enforce(here, drift)
    await gone(here)
    expect(readFileSync(file, 'utf8')).toBe('Be kind.\n')
    chmodSync(join(dirname(file), 'lib'), 0o755)
    rmSync(join(dirname(file), 'lib/x.txt'))
    await until('it to be missed', async () => {
      await look()
      return (await listed(here)).length > 0
    })
    expect(await only(here)).toMatchObject({ field: 'agents/a/lib/x.txt', live: null })
    await enforce(here, await only(here))
    await gone(here)
    expect(existsSync(join(dirname(file), 'lib/x.txt'))).toBe(true)
  })

  it('are proposed as they are', async () => {
    const { here } = await changed()
    const { body } = await adopt(here, await only(here), { reason: 'it works better' })
    const branch = String(body['branch'])
    expect(git(here.repo, ['show', `${branch}:agents/a/prompt.md`])).toBe('Be quick.')
    expect(git(here.repo, ['diff', '--name-only', 'main', branch])).toBe('agents/a/prompt.md')
    merge(here, branch)
    await here.post('/api/v1/sources/state/sync', {})
    await gone(here)
  })
})

describe('the verb of the command line', () => {
  it('lists what differs, shows it, puts it back and takes it over', async () => {
    const here = await started({ 'a.yaml': WRITTEN })
    const cli = async (...args: string[]) => {
      const terminal = fakeTerminal({
        cwd: here.dataDir,
        columns: 80,
        now: new Date().toISOString(),
        env: { STATEWARD_DATA: here.dataDir, STATEWARD_SERVER: here.stateward.url },
      })
      const code = await runProgram(args, terminal)
      return { code, out: terminal.output(), err: terminal.errors() }
    }
    expect(await cli('drift')).toMatchObject({ code: 0, out: 'everything is as Git says\n' })
    await here.post('/api/v1/agents/a/pause', { reason: 'too loud' })
    const { id } = await only(here)
    const { out } = await cli('drift')
    expect(out.split('\n')[0]).toMatch(/^OBJECT +NAMESPACE +SEEN BY +AGE +WHAT DIFFERS$/)
    expect(out).toContain('spec.suspend is true, set by')
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    expect((await cli('drift', 'show', 'agent/a')).out).toMatch(/Git:\s+nothing[\s\S]*Id:\s+[0-9a-f-]{36}/)
    expect((await cli('drift', 'adopt', id)).out).toBe(
      'agent/a /spec/suspend is proposed on branch proposals/adopt-suspend-agent-a\n',
    )
    expect((await cli('drift', 'enforce', 'agent/a', '--field', '/spec/goal')).err).toContain('is as Git says')
    expect((await cli('drift', 'enforce', 'agent/a', '-o', 'json')).out).toContain('"enforcing": true')
    await gone(here)
    expect((await cli('drift', 'put')).err).toContain('it is: stateward drift list')
  })
})

describe('who may', () => {
  it('is asked of roles and of policies', async () => {
    const rule = { id: 'never', match: { action: 'drift.enforce' }, effect: 'deny' }
    const here = await started({
      'a.yaml': agent('a', PER_TASK),
      'p.yaml': manifest('Policy', 'p', { rules: [rule, { id: 'rest', priority: 1000, effect: 'allow' }] }),
    })
    await here.post('/api/v1/objects/suspend', { kind: 'agent', name: 'a', merge: false })
    const drift = await only(here)
    expect(await enforce(here, drift)).toMatchObject({ status: 403, body: { error: { code: 'policy_denied' } } })
    expect((await listed(here))[0]).toMatchObject({ enforcing: false })
    const key = (await here.post('/api/v1/keys', { name: 'eve', roles: ['viewer'] })).body
    const response = await fetch(`${here.stateward.url}/api/v1/drift/${drift.id}/adopt`, {
      method: 'POST',
      headers: { authorization: `Bearer ${String(key['token'])}`, 'content-type': 'application/json' },
      body: '{}',
    })
    expect(response.status).toBe(403)
  })
})
