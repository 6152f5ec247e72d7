import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { adminCredentialPath, ensureAdminCredential, readAdminCredential } from '../../src/api/auth/admin-credential.ts'
import { ADMIN_TOKEN, AGENT, asAgent, startApi, type TestApi } from '../support/api-server.ts'
import { openLines } from '../support/http-lines.ts'

const open: { stop(): Promise<void> }[] = []
const start = async (...setup: Parameters<typeof startApi>): Promise<TestApi> => {
  const api = await startApi(...setup)
  open.push(api)
  return api
}
afterEach(async () => {
  for (const api of open.splice(0)) await api.stop()
})

describe('the listeners', () => {
  it('answer on one port of both address families', async () => {
    const api = await start({ listen: true })
    expect(api.urls.map((url) => new URL(url).hostname)).toEqual(['127.0.0.1', '[::1]'])
    expect(new Set(api.urls.map((url) => new URL(url).port)).size).toBe(1)
    for (const url of api.urls) expect((await fetch(`${url}/livez`)).status).toBe(200)
  })

  it('name the port that is taken and what to do', async () => {
    const first = await start({ listen: true })
    const second = await start({ options: { port: Number(new URL(first.url).port) } })
    await expect(second.server.listen()).rejects.toMatchObject({
      ref: 'SW_PORT_IN_USE',
      remedy: expect.stringContaining('--port'),
      message: expect.stringContaining('127.0.0.1'),
    })
  })

  it('leave no half listener behind when only the second family is taken', async () => {
    const first = await start({ listen: true, options: { hosts: ['::1'] } })
    const port = Number(new URL(first.url).port)
    const second = await start({ options: { port } })
    await expect(second.server.listen()).rejects.toMatchObject({ ref: 'SW_PORT_IN_USE' })
    const third = await start({ listen: true, options: { port, hosts: ['127.0.0.1'] } })
    expect(third.url).toBe(`http://127.0.0.1:${port}`)
  })

  it('serve streams on a port of their own, and everything there, too', async () => {
    const api = await start({ options: { streamsPort: 0 } })
    const { urls, streamsUrl } = await api.server.listen()
    expect(new URL(streamsUrl!).port).not.toBe(new URL(urls[0]!).port)
    const stream = await openLines(`${streamsUrl}/events/ui`)
    expect(await stream.next()).toBe('retry: 1000')
    stream.close()
    expect((await fetch(`${streamsUrl}/health`)).status).toBe(200)
  })

  it("answer on a Unix socket that is its owner's alone, also after a process that was killed", async () => {
    const dir = await mkdtemp(join(tmpdir(), 'sw-socket-'))
    const socket = join(dir, 'api.sock')
    const first = await start({ options: { socket } })
    await first.server.listen()
    expect((await stat(socket)).mode & 0o777).toBe(0o600)
    expect(await overSocket(socket, '/health')).toBe(200)
    const second = await start({ options: { socket } })
    await expect(second.server.listen()).rejects.toMatchObject({ ref: 'SW_PORT_IN_USE' })
    await open.shift()!.stop()
    // What a killed process leaves: a socket nobody listens on.
    const left = spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ])
    expect(left.signal).toBe('SIGKILL')
    await second.server.listen()
    expect(await overSocket(socket, '/api/v1/health')).toBe(200)
    await writeFile(join(dir, 'file'), '')
    for (const path of [join(dir, 'file'), join(dir, 'x'.repeat(120))]) {
      const third = await start({ options: { socket: path } })
      await expect(third.server.listen()).rejects.toMatchObject({ ref: 'SW_CONFIG_INVALID' })
    }
    await rm(dir, { recursive: true, force: true })
  })

  it('refuse to be open to others without credentials', async () => {
    await expect(
      start({ options: { hosts: ['0.0.0.0'], auth: { mode: 'none', adminToken: ADMIN_TOKEN } } }),
    ).rejects.toMatchObject({ ref: 'SW_CONFIG_INVALID' })
  })
})

function overSocket(socketPath: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, headers: { host: 'any.name' } }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode))
    })
    sent.on('error', reject)
    sent.end()
  })
}

describe('the stop', () => {
  it('ends event streams, watches and long polls', async () => {
    let polling = false
    const api = await startApi({
      listen: true,
      services: {
        agents: {
          pickup: (_agent, { signal }) => {
            polling = true
            return new Promise((resolve) =>
              signal.addEventListener('abort', () => resolve({ interventions: [], tasks: [] })),
            )
          },
        },
      },
    })
    const stream = await openLines(`${api.url}/events/ui`)
    const watch = await openLines(`${api.url}/kube/apis/stateward.dev/v1alpha1/agents?watch=true`)
    const poll = fetch(`${api.url}/api/v1/agents/sre/pickup`, {
      method: 'POST',
      headers: { ...asAgent, 'content-type': 'application/json' },
      body: JSON.stringify({ instance_id: AGENT.instanceId, wait_seconds: 30 }),
    })
    while (!polling) await delay(5)
    await api.stop()
    while ((await stream.next()) !== null);
    expect(await watch.next()).toBeNull()
    expect((await poll).status).toBe(204)
    await expect(fetch(`${api.url}/livez`)).rejects.toThrow()
  })
})

describe('a connection that is kept', () => {
  it('does not hold up the stop, whether it waits for an answer or for the next request', async () => {
    let polling = false
    const api = await startApi({
      listen: true,
      options: { graceMs: 600_000 },
      services: {
        agents: {
          pickup: (_agent, { signal }) => {
            polling = true
            return new Promise((resolve) =>
              signal.addEventListener('abort', () => resolve({ interventions: [], tasks: [] })),
            )
          },
        },
      },
    })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const poll = pickup(api.url, agent)
    const stream = await openLines(`${api.url}/events/ui`)
    while (!polling) await delay(5)
    await api.stop()
    expect(await poll).toBe(204)
    while ((await stream.next()) !== null);
    agent.destroy()
  }, 15_000)

  it('holds nothing of the requests that were answered on it', async () => {
    const api = await start({
      listen: true,
      services: { agents: { pickup: async () => ({ interventions: [], tasks: [] }) } },
    })
    const warnings: Error[] = []
    const note = (warning: Error) => warnings.push(warning)
    process.on('warning', note)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    try {
      for (let i = 0; i < 15; i++) expect(await pickup(api.url, agent)).toBe(204)
      await delay(10)
    } finally {
      process.off('warning', note)
      agent.destroy()
    }
    expect(warnings.map(({ name }) => name)).toEqual([])
  })
})

/** The status of one long poll, over the connections of `agent`. */
function pickup(url: string, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { ...asAgent, 'content-type': 'application/json' }
    const sent = request(`${url}/api/v1/agents/sre/pickup`, { method: 'POST', agent, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode))
    })
    sent.on('error', reject)
    sent.end(JSON.stringify({ instance_id: AGENT.instanceId, wait_seconds: 0 }))
  })
}

describe('the admin credential', () => {
  it('is written once, for its owner only, and read again', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'stateward-credential-'))
    try {
      expect(await readAdminCredential(dir)).toBeNull()
      const tokens = await Promise.all([1, 2, 3, 4].map(() => ensureAdminCredential(dir)))
      expect(new Set(tokens).size).toBe(1)
      expect(tokens[0]).toMatch(/^swk_[0-9A-Za-z]{43}$/)
      expect((await stat(adminCredentialPath(dir))).mode & 0o777).toBe(0o600)
      expect((await readFile(adminCredentialPath(dir), 'utf8')).trim()).toBe(tokens[0])
      await writeFile(adminCredentialPath(dir), 'hello')
      await expect(ensureAdminCredential(dir)).rejects.toMatchObject({ ref: 'SW_CONFIG_INVALID' })
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  })
})
