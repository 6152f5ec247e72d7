import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { removeFolder, until } from '../support/agent-fleet.ts'
import { adminToken, asAda, type Call } from '../support/bus-agents.ts'
import { type FakeTerminal, fakeTerminal } from '../support/fake-terminal.ts'
import { tipOf } from '../support/git-remote.ts'
import { type HttpToolServer, serveToolsOverHttp } from '../support/mcp-tools.ts'
import { behindOAuth, type OAuthServer, startOAuthServer } from '../support/oauth-server.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const SECRET = 'machine-secret-4711'
const folder = mkdtempSync(join(tmpdir(), 'stateward-oauth-'))
const file = join(folder, 'offers.json')
writeFileSync(file, JSON.stringify([{ name: 'look_up', inputSchema: { type: 'object' } }]))
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

let oauth: OAuthServer
let web: HttpToolServer
let here: Installation
let ada: Call
const given = new Set<string>()

function secret(name: string, key: string, value: string): void {
  mkdirSync(join(here.dataDir, 'secrets', name), { recursive: true, mode: 0o700 })
  writeFileSync(join(here.dataDir, 'secrets', name, key), value, { mode: 0o600 })
}

beforeAll(async () => {
  oauth = await startOAuthServer({
    machine: { secret: SECRET },
    signing: { key: publicKey.export({ format: 'jwk' }) },
  })
  web = await serveToolsOverHttp(
    file,
    0,
    behindOAuth(() => oauth),
  )
  const server = (settings: object) => ({ http: { url: web.url, oauth: settings }, interval: '1h' })
  const machine = { grant: 'clientCredentials', issuer: oauth.issuer }
  here = await createInstallation({
    'mcp/person.yaml': manifest('McpServer', 'person', server({})),
    'mcp/machine.yaml': manifest(
      'McpServer',
      'machine',
      server({ ...machine, clientId: 'machine', clientSecretRef: { name: 'machine', key: 'secret' } }),
    ),
    'mcp/signing.yaml': manifest(
      'McpServer',
      'signing',
      server({ ...machine, clientId: 'signing', privateKeySecretRef: { name: 'machine', key: 'key' } }),
    ),
    'mcp/elsewhere.yaml': manifest(
      'McpServer',
      'elsewhere',
      server({
        ...machine,
        issuer: 'https://auth.example.com',
        clientId: 'machine',
        clientSecretRef: { name: 'machine', key: 'secret' },
      }),
    ),
  })
  secret('machine', 'secret', SECRET)
  secret('machine', 'key', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  await here.start()
  ada = asAda(here)
})
afterAll(async () => {
  await here.end()
  await web.close()
  await oauth.close()
  await removeFolder(folder)
})

// biome-ignore lint/suspicious/noExplicitAny: looked at field by field
type Body = Record<string, any>
const statusOf = (name: string) => here.object(`McpServer/default/${name}`).status as Body
const keptLogin = () => JSON.parse(readFileSync(join(here.dataDir, 'secrets/mcp.default.person/login'), 'utf8')) as Body
const remember = () => {
  for (const token of oauth.secrets()) given.add(token)
}

/** A command line, and a browser that goes where it says. */
async function login(...words: string[]): Promise<FakeTerminal> {
  const env = { STATEWARD_SERVER: here.stateward.url, STATEWARD_TOKEN: adminToken(here) }
  const terminal = fakeTerminal({ env, cwd: here.dataDir })
  const ended = runProgram(['mcp', 'login', ...words], terminal)
  const address = await until(
    'an address to go to',
    () => /^http\S+\/authorize\S+/m.exec(terminal.errors())?.[0] ?? null,
  )
  const answer = await fetch(address, { redirect: 'manual' })
  await fetch(answer.headers.get('location')!)
  expect([await ended, terminal.errors()]).toMatchObject([0, expect.not.stringContaining('SW_')])
  remember()
  return terminal
}

async function lockAndMerge(server: string): Promise<void> {
  const { body } = await ada('POST', `/api/v1/mcp-servers/${server}/lock`)
  const id = await until(`${body.branch} to be checked`, async () => {
    const found = await ada('GET', `/api/v1/proposals/${encodeURIComponent(body.branch)}`)
    return found.body.checked_against === tipOf(here.repo, 'main') ? (found.body.id as string) : null
  })
  expect(await ada('POST', `/api/v1/proposals/${id}/merge`)).toMatchObject({ status: 200 })
  await until('the merge to be applied', () => here.stateward.sync.state.sync?.to_revision === tipOf(here.repo, 'main'))
  await here.stateward.settled()
}

const call = (tool: string) => ada('POST', `/api/v1/tools/${tool}/call`, { input: {}, wait_seconds: 30 })

describe('an McpServer behind OAuth that this installation signs in to as itself', () => {
  it.each(['machine', 'signing'])('is asked with a token of its own (%s)', async (name) => {
    await here.untilCondition(`McpServer/default/${name}`, 'Ready', 'True')
    expect(statusOf(name)).toMatchObject({ counts: '1 new' })
    remember()
  })

  it('gets one more scope where a call needs it, and a new token where the old one is over', async () => {
    await lockAndMerge('machine')
    await here.untilCondition('Tool/default/machine.look-up', 'Ready', 'True')
    expect(await call('machine.look-up')).toMatchObject({ body: { state: 'succeeded' } })
    remember()
    oauth.expire()
    expect(await call('machine.look-up')).toMatchObject({ body: { state: 'succeeded' } })
    remember()
  })

  it('is sent no secret where it names another authorization server than its declaration', async () => {
    await here.untilCondition('McpServer/default/elsewhere', 'Ready', 'False', 'Unreachable')
    expect(here.condition('McpServer/default/elsewhere', 'Ready')).toMatchObject({
      message: expect.stringContaining('https://auth.example.com'),
    })
  })
})

describe('an McpServer behind OAuth that a person signs in to', () => {
  it('waits for somebody, and says how', async () => {
    await here.untilCondition('McpServer/default/person', 'Ready', 'False', 'LoginRequired')
    expect(here.condition('McpServer/default/person', 'Ready')).toMatchObject({
      message: expect.stringContaining('stateward mcp login person'),
    })
    expect(await ada('POST', '/api/v1/mcp-servers/person/lock')).toMatchObject({
      status: 409,
      body: { error: { code: 'mcp_login_required' } },
    })
  })

  it('is signed in to from a command line; what that gives is a secret, and is in no event', async () => {
    const terminal = await login('person')
    expect(terminal.output()).toContain(`signed in to person at ${oauth.issuer} for tools.list`)
    await here.untilCondition('McpServer/default/person', 'Ready', 'True')
    expect(keptLogin()).toMatchObject({ tokens: { issuer: oauth.issuer, scope: 'tools.list' } })
    const told = (await here.events()).filter(({ event_name }) => event_name === 'stateward.mcp.server.authorized')
    expect(told.map(({ actor, data }) => [actor, data])).toMatchObject([
      [
        expect.stringMatching(/^user:/),
        { server: 'person', issuer: oauth.issuer, scopes: ['tools.list'], secret: 'mcp.default.person/login' },
      ],
    ])
  })

  it('asks somebody again for a scope that was not granted, and keeps those that were', async () => {
    await lockAndMerge('person')
    await here.untilCondition('Tool/default/person.look-up', 'Ready', 'True')
    const refused = await call('person.look-up')
    expect(refused.body).toMatchObject({ state: 'failed', error: { code: 'mcp_login_required' } })
    await login('person', '--scope', 'tools.call')
    expect(keptLogin()['tokens'].scope.split(' ').sort()).toEqual(['tools.call', 'tools.list'])
    expect(await call('person.look-up')).toMatchObject({ body: { state: 'succeeded' } })
  })

  it('has its tokens renewed when they are over, many calls at once renewing them once', async () => {
    const before = keptLogin()['tokens']
    oauth.expire()
    const asked = oauth.tokenRequests.length
    const calls = await Promise.all(Array.from({ length: 5 }, () => call('person.look-up')))
    expect(calls.map(({ body }) => body.state)).toEqual(Array.from({ length: 5 }, () => 'succeeded'))
    expect(oauth.tokenRequests.slice(asked)).toEqual([{ grant: 'refresh_token', status: 200 }])
    const after = keptLogin()['tokens']
    expect(after.refresh_token).not.toBe(before.refresh_token)
    expect(after.scope).toBe(before.scope)
    remember()
  })

  it('goes on with what was renewed after a restart', async () => {
    await here.stop()
    await here.start()
    ada = asAda(here)
    await here.untilCondition('Tool/default/person.look-up', 'Ready', 'True')
    expect(await call('person.look-up')).toMatchObject({ body: { state: 'succeeded' } })
  })

  it('waits for somebody again when nothing can be renewed any more', async () => {
    oauth.revoke()
    expect((await call('person.look-up')).body).toMatchObject({ error: { code: 'mcp_login_required' } })
    await login('person')
    expect(await call('person.look-up')).toMatchObject({ body: { state: 'succeeded' } })
  })

  it('takes no answer of a sign-in that nobody began, nor sends a code to another machine', async () => {
    const path = '/api/v1/mcp-servers/person/login'
    expect(await ada('POST', `${path}/finish`, { callback: 'code=x&state=y' })).toMatchObject({ status: 404 })
    const redirect_uri = 'https://elsewhere.example/callback'
    expect(await ada('POST', path, { redirect_uri })).toMatchObject({ status: 400 })
    const local = { redirect_uri: 'http://127.0.0.1:1/callback' }
    expect(await ada('POST', '/api/v1/mcp-servers/machine/login', local)).toMatchObject({ status: 409 })
    const { body } = await ada('POST', path, local)
    const state = new URL(body.authorization_url).searchParams.get('state')
    const forged = { callback: `code=x&state=${state}&iss=https://evil.example` }
    expect(await ada('POST', `${path}/finish`, forged)).toMatchObject({
      status: 422,
      body: { error: { code: 'mcp_login_failed' } },
    })
  })

  it('leaves no token in the log, in events or in the state of anything', async () => {
    expect(given.size).toBeGreaterThan(5)
    const texts = await here.sql<{ text: string }[]>`
      SELECT data::text AS text FROM events UNION ALL SELECT status::text FROM objects`
    const all = texts.map(({ text }) => text).join('\n')
    for (const token of [...given, SECRET]) expect(all).not.toContain(token)
  })
})
