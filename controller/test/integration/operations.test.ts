import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminCredentialPath } from '../../src/api/auth/admin-credential.ts'
import { runProgram } from '../../src/cli/program.ts'
import { until } from '../support/agent-fleet.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'
import { git, tipOf } from '../support/git-remote.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

/** The starter itself: what it declares has to work. */
let here: Installation
beforeAll(async () => {
  here = await createInstallation(null)
  await here.start()
  await here.untilCondition('Source/state', 'Ready', 'True')
})
afterAll(() => here.end())

async function run(name: string, inputs: object = {}): Promise<Record<string, unknown>> {
  const { status, body } = await here.post(`/services/${name}/run`, { inputs })
  expect([name, status, body['error']]).toEqual([name, 202, null])
  return until(`${name} to end`, async () => {
    const { body: now } = await here.ask('GET', `/api/v1/runs/${String(body['run_id'])}`)
    return now['completed_at'] === null ? null : now
  })
}
/** What its program printed. */
async function printed(name: string, inputs: object = {}): Promise<Record<string, unknown>> {
  const ended = await run(name, inputs)
  expect([name, ended['status'], ended['error']]).toEqual([name, 'completed', null])
  const { stdout } = (ended['outputs'] as { result: { stdout: string } }).result
  return JSON.parse(stdout) as Record<string, unknown>
}

describe('the operations of the starter', () => {
  it('are twelve, each Ready, in one list', async () => {
    const { body } = await here.ask('GET', '/services')
    const items = body['items'] as { name: string; role: string; suspended: boolean }[]
    expect(items).toHaveLength(12)
    for (const { name } of items) await here.untilCondition(`Operation/default/${name}`, 'Ready', 'True')
    expect((await here.ask('GET', '/api/v1/operations/http-check')).body).toMatchObject({
      does: 'call',
      target: 'http.call',
    })
  })

  it('look at the machine', async () => {
    expect(await printed('memory')).toMatchObject({ total_mib: expect.any(Number), free_percent: expect.any(Number) })
    expect(await printed('load')).toMatchObject({ cores: expect.any(Number), overloaded: expect.any(Boolean) })
    expect(await printed('network')).toMatchObject({
      addresses: expect.arrayContaining([expect.objectContaining({ internal: true })]),
    })
    expect(await printed('toolchain')).toMatchObject({
      node: process.version,
      git: expect.stringContaining('git version'),
    })
    const disk = await run('disk-usage')
    expect((disk['outputs'] as { result: { stdout: string } }).result.stdout).toMatch(/^Filesystem .*\n\S+/)
    const processes = await run('processes')
    expect((processes['outputs'] as { result: { stdout: string } }).result.stdout).toMatch(/PID +PPID/)
  })

  it('look at what listens somewhere', async () => {
    const { port, hostname } = new URL(here.stateward.url)
    expect(await printed('port-check', { host: hostname, port: Number(port) })).toMatchObject({ open: true })
    expect(await printed('port-check', { port: 1 })).toMatchObject({ host: '127.0.0.1', open: false })
    expect(await printed('dns-lookup', { host: 'localhost' })).toMatchObject({ addresses: expect.any(Array) })
    const checked = await run('http-check', { url: `${here.stateward.url}/api/v1/nothing` })
    expect(checked).toMatchObject({ status: 'completed', outputs: { result: { status: 404 } } })
    const health = await run('server-health', { server: here.stateward.url })
    expect(health).toMatchObject({ status: 'completed', outputs: { result: { status: 200 } } })
  })

  it('look at a certificate', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stateward-tls-'))
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name)) as [string, string]
    const subject = ['-subj', '/CN=stateward.test', '-days', '10']
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject],
      { stdio: 'ignore' },
    )
    const server: Server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => socket.end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = server.address() as AddressInfo
      expect(await printed('certificate', { host: 'localhost', port })).toMatchObject({
        subject: 'stateward.test',
        renew: true,
      })
    } finally {
      server.close()
      rmSync(folder, { recursive: true })
    }
  })

  it('run a blueprint', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stateward-docs-'))
    const ended = await run('review-docs', { folder })
    expect(ended).toMatchObject({ status: 'completed', blueprint_ref: 'docs-review', trigger: 'operation:review-docs' })
    rmSync(folder, { recursive: true })
  })
})

describe('running an operation', () => {
  it('checks the inputs, and shows the last run with the operation', async () => {
    for (const inputs of [{}, { host: '-oProxyCommand=x' }, { host: 'x', more: 1 }]) {
      const { status, body } = await here.post('/services/dns-lookup/run', { inputs })
      expect([status, (body['error'] as { code: string }).code]).toEqual([400, 'validation_failed'])
    }
    expect((await here.post('/services/nothing/run', {})).status).toBe(404)
    const ended = await run('memory')
    const { body } = await here.ask('GET', '/api/v1/services/memory')
    expect(body).toMatchObject({ last_run: { run_id: ended['run_id'], status: 'completed' } })
  })

  it('is for who may, and not while it is suspended', async () => {
    await here.apply({
      'operations/admins.yaml':
        'apiVersion: stateward.dev/v1alpha1\nkind: Operation\nmetadata: { name: admins }\nspec: { command: ["true"], role: admin }\n',
    })
    const tokenOf = async (role: string) =>
      String((await here.post('/api/v1/keys', { name: `op-${role}`, roles: [role] })).body['token'])
    const as = async (token: string, name: string) =>
      (
        await fetch(`${here.stateward.url}/services/${name}/run`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
        })
      ).status
    const operator = await tokenOf('operator')
    expect(await as(operator, 'load')).toBe(202)
    expect(await as(operator, 'admins')).toBe(403)
    expect(await as(await tokenOf('viewer'), 'load')).toBe(403)
    expect((await run('admins'))['status']).toBe('completed')
    await here.post('/api/v1/objects/suspend', { kind: 'operation', name: 'admins', merge: false })
    await here.untilCondition('Operation/default/admins', 'Suspended', 'True')
    expect((await here.post('/services/admins/run', {})).status).toBe(409)
    expect((await here.ask('GET', '/services/admins')).body).toMatchObject({ suspended: true })
  })

  it('is said where it stands when it is broken', async () => {
    await here.apply({
      'operations/broken.yaml':
        'apiVersion: stateward.dev/v1alpha1\nkind: Operation\nmetadata: { name: broken }\nspec:\n  command: [ping, "{{ inputs.host }}"]\n',
    })
    const { body } = await here.ask('GET', '/kube/apis/stateward.dev/v1alpha1/sources/state')
    expect((body['status'] as { issues: object[] }).issues).toMatchObject([
      { file: 'operations/broken.yaml', line: 5, object: 'Operation/default/broken' },
    ])
    await here.apply({ 'operations/broken.yaml': null })
  })

  it('goes from the command line, too', async () => {
    const token = (await readFile(adminCredentialPath(here.dataDir), 'utf8')).trim()
    const stateward = async (...argv: string[]) => {
      const env = { STATEWARD_SERVER: here.stateward.url, STATEWARD_TOKEN: token }
      const terminal = fakeTerminal({ now: new Date().toISOString(), env, columns: 80 })
      return { code: await runProgram(argv, terminal), output: terminal.output(), errors: terminal.errors() }
    }
    const waited = await stateward('operation', 'run', 'load', '--wait')
    expect([waited.code, waited.errors]).toEqual([0, ''])
    const { output } = await stateward('operation', 'list')
    expect(output).toMatch(/^NAME +DOES +ROLE +LAST +AGE +DESCRIPTION\n/)
    expect(output).toMatch(/^load +command +operator +completed /m)
    for (const line of output.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    expect((await stateward('operation', 'run', 'dns-lookup')).errors).toContain('host')
    expect((await stateward('operation', 'start', 'x')).errors).toContain('it is: stateward operation list')
  })
})

describe('templates', () => {
  it('of the starter are four roles, and agents made of them do their work', async () => {
    const { body } = await here.ask('GET', '/templates')
    const names = ['brain', 'governor', 'orchestrator', 'worker']
    const coding = ['aider', 'claude-code', 'codex', 'gemini-cli', 'opencode']
    expect((body['items'] as { name: string }[]).map(({ name }) => name).sort()).toEqual([...coding, ...names].sort())
    const agents = names.map((name) => [
      `agents/my-${name}.yaml`,
      `apiVersion: stateward.dev/v1alpha1\nkind: Agent\nmetadata: { name: my-${name} }\nspec: { templateRef: { name: ${name} } }\n`,
    ])
    await here.apply(Object.fromEntries(agents))
    const ask = async (agent: string, inputs: object) => {
      const plan = [{ id: 'ask', kind: 'agent_task', agent: `my-${agent}`, prompt: 'do it', with: inputs }]
      const { body: started } = await here.post('/api/v1/runs', { plan })
      await until(`${agent} to answer`, async () => {
        const { body: now } = await here.ask('GET', `/api/v1/runs/${String(started['run_id'])}`)
        return now['completed_at'] === null ? null : now
      })
      return (await here.ask('GET', `/api/v1/runs/${String(started['run_id'])}/steps/ask`)).body
    }
    const items = [{ name: 'a' }, { name: 'b', depends_on: ['a'] }, { name: 'c', depends_on: ['a'] }]
    expect(await ask('orchestrator', { items })).toMatchObject({ outputs: { waves: [['a'], ['b', 'c']] } })
    expect(await ask('governor', { figures: { cost: 30, steps: 1 }, limits: { cost: 10, steps: 5 } })).toMatchObject({
      outputs: { breaches: [{ name: 'cost', action: 'terminate' }], intervene: true },
    })
    const options = [
      { name: 'move', scores: { cost: 1, speed: 9 } },
      { name: 'stay', scores: { cost: 5, speed: 2 } },
    ]
    expect(await ask('brain', { options, weights: { cost: 1, speed: 2 } })).toMatchObject({
      outputs: { decision: 'move', clear: true },
    })
    expect(await ask('worker', { text: '# Title\n\nTODO: write\n' })).toMatchObject({
      outputs: { words: 4, undone: [{ line: 3 }] },
    })
    const knot = [
      { name: 'a', depends_on: ['b'] },
      { name: 'b', depends_on: ['a'] },
    ]
    expect(await ask('orchestrator', { items: knot })).toMatchObject({ status: 'failed' })
  })

  it('are proposed as a commit that adds one file', async () => {
    const spec = { description: 'Tests.', runtime: { process: { command: ['cat'], mode: 'perTask' } } }
    const main = tipOf(here.repo, 'refs/heads/main')
    const { status, body } = await here.post('/templates', { name: 'tester', spec, reason: 'we need one' })
    expect([status, body]).toEqual([
      202,
      expect.objectContaining({ branch: 'proposals/add-agenttemplate-tester', merged: false, name: 'tester' }),
    ])
    expect(tipOf(here.repo, 'refs/heads/main')).toBe(main)
    const branch = String(body['branch'])
    expect(git(here.repo, ['diff', '--name-status', 'main', branch])).toBe('A\ttemplates/tester.yaml')
    expect(git(here.repo, ['rev-parse', branch])).toBe(body['commit'])
    expect((await here.ask('GET', '/templates/tester')).status).toBe(404)

    const merged = await here.post('/api/v1/templates', { name: 'tester', spec, merge: true })
    expect(merged).toMatchObject({ status: 202, body: { branch: null, merged: true } })
    await here.apply({ 'note.txt': 'anything' })
    const { body: template } = await here.ask('GET', '/api/v1/templates/tester')
    expect(template).toMatchObject({ description: 'Tests.', spec })
    expect((await here.ask('GET', `/templates/${String(template['template_id'])}`)).body).toMatchObject({
      name: 'tester',
    })
    expect((await here.post('/templates', { name: 'tester', spec })).status).toBe(409)
    expect((await here.post('/templates', { name: 'odd', spec: { runtime: { nothing: 1 } } })).status).toBe(400)
  })
})
