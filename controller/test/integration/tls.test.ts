import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureCertificate } from '../../src/api/tls/certificates.ts'
import { runProgram } from '../../src/cli/program.ts'
import { until } from '../support/agent-fleet.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'
import { kubectl } from '../support/kubectl.ts'
import { requires } from '../support/requires.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const installed = requires('kubectl')
const DAY = 86_400_000
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stateward-tls-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('the certificate of an installation', () => {
  const now = new Date('2030-01-01T00:00:00Z')
  const serial = ({ cert }: { readonly cert: string }) => new X509Certificate(cert).serialNumber

  it('is kept while it is good, and its authority for ever', async () => {
    const first = await ensureCertificate(folder, ['localhost', '127.0.0.1'], now)
    const authority = new X509Certificate(first.ca!)
    const certificate = new X509Certificate(first.cert)
    expect(certificate.verify(authority.publicKey)).toBe(true)
    expect([certificate.checkHost('localhost'), certificate.checkIP('127.0.0.1')]).toEqual(['localhost', '127.0.0.1'])
    expect((await stat(join(folder, 'tls', 'ca.key'))).mode & 0o777).toBe(0o600)
    expect(serial(await ensureCertificate(folder, ['localhost'], now))).toBe(serial(first))
    const later = new Date(now.getTime() + 380 * DAY)
    const renewed = await ensureCertificate(folder, ['localhost'], later)
    expect(serial(renewed)).not.toBe(serial(first))
    const named = await ensureCertificate(folder, ['localhost', 'agents.example.org', '::1'], later)
    expect(serial(named)).not.toBe(serial(renewed))
    expect([renewed.ca, named.ca]).toEqual([first.ca, first.ca])
  })
})

describe('kubectl over TLS', () => {
  let here: Installation
  beforeAll(async () => {
    here = await createInstallation({
      'a.yaml': agent('a', { runtime: { process: { command: ['true'] } }, replicas: 0 }),
      'ask.yaml': manifest('Blueprint', 'ask', { plan: [{ id: 'ok', kind: 'gate', mode: 'manual' }] }),
    })
    await here.start({ tlsPort: null })
  })
  afterAll(() => here.end())

  const kubeconfig = () => join(folder, 'config')
  const k = (...argv: string[]) =>
    kubectl(['--kubeconfig', kubeconfig(), '--cache-dir', join(folder, 'cache'), ...argv])
  async function stateward(...argv: string[]) {
    const env = { STATEWARD_DATA: here.dataDir, STATEWARD_SERVER: here.stateward.url, HOME: folder }
    const terminal = fakeTerminal({ now: new Date().toISOString(), env })
    return { code: await runProgram(argv, terminal), out: terminal.output(), err: terminal.errors() }
  }

  it('gets its context from the command line', async () => {
    const made = await stateward('kubeconfig', '--file', kubeconfig())
    expect(made).toMatchObject({ code: 0, out: expect.stringContaining('kubectl config use-context stateward') })
    expect((await stat(kubeconfig())).mode & 0o777).toBe(0o600)
    expect((await stateward('kubeconfig', '--stdout')).out).toContain('certificate-authority-data')
    await stateward('kubeconfig')
    expect(await readFile(join(folder, '.kube', 'config'), 'utf8')).toBe(await readFile(kubeconfig(), 'utf8'))
  })

  it.skipIf(!installed.available)(`acts with the credential of who wrote it ${installed.reason}`, async () => {
    expect((await k('get', 'agents', '-o', 'name')).out).toBe('agent.stateward.dev/a\n')
    const started = await here.post('/api/v1/runs', { blueprint_ref: 'ask' })
    const run = String(started.body['name'])
    await until('the gate', async () => (await here.ask('GET', `/api/v1/gates/${run}.ok`)).status === 200)
    const approved = await k('annotate', 'run', run, 'stateward.dev/approve=ok')
    expect(approved).toMatchObject({ code: 0, out: `run.stateward.dev/${run} annotated\n` })
    expect((await k('wait', '--for=condition=Succeeded', `run/${run}`, '--timeout=20s')).code).toBe(0)
    const { body } = await here.ask('GET', `/api/v1/gates/${run}.ok`)
    expect(body).toMatchObject({ state: 'approved', decisions: [{ actor: expect.stringMatching(/^user:/) }] })
    expect((await k('annotate', 'agent', 'a', 'stateward.dev/suspend=true')).code).toBe(0)
    await here.untilCondition('Agent/default/a', 'Suspended', 'True')
  })
})
