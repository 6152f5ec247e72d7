import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sha256 } from '../../src/lib/digest.ts'
import { until } from '../support/agent-fleet.ts'
import { requires } from '../support/requires.ts'
import { type SshServer, startSshServer } from '../support/ssh-server.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const sshd = requires('sshd')
const blueprint = readFileSync(new URL('../../../state-repo/blueprints/checkmk.yaml', import.meta.url), 'utf8')

describe.skipIf(!sshd.available)(`the blueprint that remediates Checkmk alerts ${sshd.reason}`, () => {
  let server: SshServer
  let here: Installation
  beforeAll(async () => {
    // Its command is three dots: what it comes to, the host decides.
    server = await startSshServer('nginx restarted')
    here = await createInstallation({
      'blueprints/checkmk.yaml': blueprint,
      'models/openai.yaml': manifest('ModelProvider', 'openai', {
        type: 'scripted',
        models: [{ name: 'gpt-5' }],
        script: [{ match: { lastMessage: 'Analyze alert' }, reply: { text: 'Restart nginx.' } }],
      }),
    })
    const secrets = { ssh: { key: server.key, known_hosts: server.knownHosts, user: server.user } }
    const { mkdirSync, writeFileSync } = await import('node:fs')
    for (const [name, keys] of Object.entries(secrets)) {
      mkdirSync(`${here.dataDir}/secrets/${name}`, { recursive: true, mode: 0o700 })
      for (const [key, value] of Object.entries(keys))
        writeFileSync(`${here.dataDir}/secrets/${name}/${key}`, value, { mode: 0o600 })
    }
    await here.start()
    await here.untilCondition('Source/state', 'Ready', 'True')
  })
  afterAll(async () => {
    await here.end()
    await server.stop()
  })

  it('is the published example, byte for byte', () => {
    expect(sha256(blueprint)).toBe('70a45baf1015abd66c0269fc8c7c3b5d7df656c0b7ec1bcbfdb7fa0577f97ae4')
  })

  it('runs to its end: a provider named openai analyses, a person approves, and a host is told over SSH', async () => {
    const sent = await here.post('/api/v1/events', {
      event_name: 'checkmk.alert',
      data: { host: `127.0.0.1:${server.port}`, service: 'nginx' },
    })
    expect(sent.status).toBeLessThan(300)
    const run = await until('a run to wait for its gate', async () => {
      const { body } = await here.ask('GET', '/api/v1/runs')
      const [one] = body['items'] as Record<string, unknown>[]
      return (one?.['condition'] as { reason?: string } | null)?.reason === 'WaitingForApproval' ? one : null
    })
    const { body: gates } = await here.ask('GET', `/api/v1/runs/${String(run['run_id'])}/gates`)
    const [gate] = gates['items'] as { gate_id: string }[]
    expect((await here.post(`/api/v1/gates/${gate!.gate_id}/approve`, {})).status).toBeLessThan(300)
    const ended = await until('the run to end', async () => {
      const { body } = await here.ask('GET', `/api/v1/runs/${String(run['run_id'])}`)
      return body['completed_at'] === null ? null : body
    })
    expect([ended['status'], ended['error']]).toEqual(['completed', null])
    expect(server.commands()).toEqual(['sh -c ... sh'])
    const { body: steps } = await here.ask('GET', `/api/v1/runs/${String(run['run_id'])}/steps?values=true`)
    const all = steps['items'] as { path: string; outputs: unknown }[]
    expect(all.find(({ path }) => path === 'run_fix')).toMatchObject({ status: 'completed' })
    const { body: calls } = await here.ask('GET', '/api/v1/model-calls')
    expect(calls['items']).toMatchObject([{ provider: 'openai', provider_type: 'scripted' }])
  })

  it('the same provider answers llm.invoke, which says that rules answered, and what it cost', async () => {
    const ask = (input: object) => here.post('/api/v1/tools/llm_invoke/call', { input })
    const { body } = await ask({ prompt: 'Analyze alert', provider: 'openai', model: 'gpt-5' })
    expect(body).toMatchObject({
      state: 'succeeded',
      tool: 'llm.invoke',
      output: { text: 'Restart nginx.', provider: 'openai', model: 'gpt-5', scripted: true, cost_usd: '0.00' },
    })
    const outputSchema = { type: 'object', required: ['plan'] }
    expect((await ask({ prompt: 'Analyze alert', provider: 'openai', outputSchema })).body).toMatchObject({
      state: 'failed',
      error: { code: 'invalid_output' },
    })
    expect((await ask({ prompt: 'x', provider: 'nobody' })).body).toMatchObject({ state: 'failed' })
  })

  it('secrets are listed and found by name, and no value of them is told', async () => {
    const { body: listed } = await here.post('/api/v1/tools/secret.list/call', { input: {} })
    expect(JSON.stringify(listed['output'])).toContain('ssh/known_hosts')
    const { body: found } = await here.post('/api/v1/tools/secret.get/call', { input: { name: 'ssh', key: 'key' } })
    expect(found['output']).toMatchObject({ available: true, provider: expect.any(String) })
    expect(JSON.stringify([listed, found])).not.toContain('PRIVATE KEY')
    const { body: none } = await here.post('/api/v1/tools/secret_get/call', { input: { name: 'no', key: 'such' } })
    expect(none['output']).toMatchObject({ available: false, provider: null })
  })
})
