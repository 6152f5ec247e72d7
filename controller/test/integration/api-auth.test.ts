import { createSecretKey } from 'node:crypto'
import { SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ROLES } from '../../src/api/auth/roles.ts'
import { ADMIN_TOKEN, AGENT, asAdmin, asAgent, startApi, type TestApi } from '../support/api-server.ts'
import { startIssuer, type TestIssuer } from '../support/token-issuer.ts'

let api: TestApi

beforeAll(async () => {
  api = await startApi({ options: { auth: { mode: 'token', adminToken: ADMIN_TOKEN } } })
})
afterAll(() => api.stop())

type Headers = Record<string, string>
const send = (method: string, url: string, headers: Headers, payload?: object) =>
  api.server.app.inject({ method: method as 'GET', url, headers, ...(payload === undefined ? {} : { payload }) })
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` })
const emit = (headers: Headers) => send('POST', '/api/v1/events', headers, { event_name: 'test.auth' })
const names = async (name: string) =>
  (await send('GET', `/api/v1/events?event_name=${name}&limit=1000`, asAdmin)).json().items

async function createKey(body: { name: string; roles: string[]; [field: string]: unknown }): Promise<string> {
  const response = await send('POST', '/api/v1/keys', asAdmin, body)
  expect([response.statusCode, response.json().error]).toEqual([201, undefined])
  return response.json().token
}

describe('an API key', () => {
  it('opens what its roles may do, by either header, and says who asked', async () => {
    const token = await createKey({ name: 'ci', roles: ['operator'] })
    expect(token).toMatch(/^swk_[0-9A-Za-z]{43}$/)
    for (const headers of [bearer(token), { 'x-api-key': token }]) {
      const response = await emit(headers)
      expect([response.statusCode, response.json().actor]).toEqual([201, 'key:ci'])
    }
    expect((await send('GET', '/api/v1/audit/verify', bearer(token))).statusCode).toBe(403)
    expect((await send('GET', '/api/v1/keys', bearer(token))).statusCode).toBe(403)
  })

  it('is shown once and kept as a digest', async () => {
    const token = await createKey({ name: 'once', roles: ['viewer'] })
    const listed = await send('GET', '/api/v1/keys', asAdmin)
    expect(listed.json().items[0]).toMatchObject({ name: 'once', prefix: token.slice(0, 8), roles: ['viewer'] })
    expect(listed.body).not.toContain(token)
    const [row] = await api.store.engine`SELECT row_to_json(api_keys)::text AS text FROM api_keys WHERE name = 'once'`
    expect(row!['text']).not.toContain(token.slice(8))
    const [event] = await names('stateward.key.created')
    expect(JSON.stringify(event)).not.toContain(token.slice(8))
  })

  it('may be limited to some of what its roles may do', async () => {
    const token = await createKey({ name: 'starter', roles: ['operator'], verbs: ['read'] })
    expect((await send('GET', '/api/v1/events', bearer(token))).statusCode).toBe(200)
    expect((await emit(bearer(token))).statusCode).toBe(403)
  })

  it('takes the names of roles that people use', async () => {
    const token = await createKey({ name: 'boss', roles: ['CEO', 'OwnerAdmin'] })
    expect((await send('GET', '/api/v1/keys', bearer(token))).json().items[0].roles).toEqual(['founder', 'owner-admin'])
  })

  it('opens nothing any more once it is revoked, and its name is free again', async () => {
    const token = await createKey({ name: 'brief', roles: ['viewer'] })
    expect((await send('GET', '/api/v1/events', bearer(token))).statusCode).toBe(200)
    const revoked = await send('DELETE', '/api/v1/keys/brief', asAdmin)
    expect([revoked.statusCode, revoked.json().revoked_by]).toEqual([200, 'user:ada'])
    expect((await send('GET', '/api/v1/events', bearer(token))).statusCode).toBe(401)
    const again = await send('DELETE', `/api/v1/keys/${revoked.json().key_id}`, asAdmin)
    expect([again.statusCode, again.json().revoked_at]).toEqual([200, revoked.json().revoked_at])
    await createKey({ name: 'brief', roles: ['viewer'] })
    expect((await names('stateward.key.revoked')).length).toBe(1)
  })

  it('ends when it was said to end', async () => {
    const token = await createKey({ name: 'old', roles: ['viewer'], expires_at: '2999-01-01T00:00:00.000Z' })
    expect((await send('GET', '/api/v1/events', bearer(token))).statusCode).toBe(200)
    await api.store.engine`UPDATE api_keys SET expires_at = created_at WHERE name = 'old'`
    const other = await createKey({ name: 'forget-what-was-known', roles: ['viewer'] })
    expect((await send('GET', '/api/v1/events', bearer(other))).statusCode).toBe(200)
    expect((await send('GET', '/api/v1/events', bearer(token))).statusCode).toBe(401)
  })

  it.each([
    ['a role that is none', { name: 'x', roles: ['boss'] }, 400],
    ['the role of agents', { name: 'x', roles: ['agent'] }, 400],
    ['a verb that is none', { name: 'x', roles: ['viewer'], verbs: ['fly'] }, 400],
    ['no role', { name: 'x', roles: [] }, 400],
    ['an end that is over', { name: 'x', roles: ['viewer'], expires_at: '2020-01-01T00:00:00.000Z' }, 400],
    ['a name that is taken', { name: 'ci', roles: ['viewer'] }, 409],
  ])('is not made with %s', async (_name, body, status) => {
    expect((await send('POST', '/api/v1/keys', asAdmin, body)).statusCode).toBe(status)
  })

  it('cannot be given more than its maker may do', async () => {
    const token = await createKey({ name: 'maker', roles: ['admin'], verbs: ['keys.manage', ...ROLES.viewer.verbs] })
    const body = { name: 'strong', roles: ['operator'] }
    expect((await send('POST', '/api/v1/keys', bearer(token), body)).statusCode).toBe(403)
    expect((await send('POST', '/api/v1/keys', bearer(token), { ...body, roles: ['viewer'] })).statusCode).toBe(201)
  })

  it('is the same key in another process', async () => {
    expect((await send('POST', '/api/v1/keys', asAgent, { name: 'x', roles: ['viewer'] })).statusCode).toBe(403)
    const token = await createKey({ name: 'everywhere', roles: ['viewer'] })
    expect((await send('GET', '/api/v1/events', { ...bearer(token), 'x-stateward-user': 'root' })).statusCode).toBe(403)
  })
})

describe('a privileged call', () => {
  it('is in the log with its decision before it is done', async () => {
    await send(
      'POST',
      '/api/v1/keys',
      { ...asAdmin, 'x-correlation-id': 'audit-1' },
      { name: 'audited', roles: ['viewer'] },
    )
    const events = (await send('GET', '/api/v1/events?correlation_id=audit-1&order=asc', asAdmin)).json().items
    expect(events.map((event: { event_name: string }) => event.event_name)).toEqual([
      'stateward.access.allowed',
      'stateward.key.created',
    ])
    expect(events[0]).toMatchObject({
      actor: 'user:ada',
      data: { verb: 'keys.manage', operation: 'createKey', path: '/api/v1/keys' },
    })
  })

  it('that is refused is in the log, folded when it is asked again and again', async () => {
    const token = await createKey({ name: 'nosy', roles: ['viewer'] })
    for (let i = 0; i < 20; i++) {
      const response = await send('DELETE', '/api/v1/keys/ci', { ...bearer(token), 'x-correlation-id': 'audit-2' })
      expect(response.statusCode).toBe(403)
    }
    await expect
      .poll(async () => (await send('GET', '/api/v1/events?correlation_id=audit-2', asAdmin)).json().items)
      .toEqual([
        expect.objectContaining({
          event_name: 'stateward.access.denied',
          actor: 'key:nosy',
          data: expect.objectContaining({ operation: 'revokeKey', code: 'forbidden', count: 1 }),
        }),
      ])
  })

  it('that is malformed is not', async () => {
    const headers = { ...asAdmin, 'x-correlation-id': 'audit-3' }
    expect((await send('POST', '/api/v1/keys', headers, { name: 5 })).statusCode).toBe(400)
    expect((await send('GET', '/api/v1/events?correlation_id=audit-3', asAdmin)).json().items).toEqual([])
  })

  it('counts refusals that were folded when the server stops', async () => {
    const other = await startApi({ options: { auth: { mode: 'token', adminToken: ADMIN_TOKEN } } })
    for (let i = 0; i < 5; i++) await other.server.app.inject({ method: 'DELETE', url: '/api/v1/keys/x' })
    await other.server.close()
    const rows = await other.store.engine`
      SELECT data->>'count' AS count, data->>'code' AS code, actor FROM events WHERE event_name = 'stateward.access.denied' ORDER BY seq`
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { count: '1', code: 'unauthenticated', actor: 'anonymous' },
      { count: '4', code: 'unauthenticated', actor: 'anonymous' },
    ])
    await other.feed.close()
    await other.store.end()
  })
})

describe('a token of the configured issuer', () => {
  let issuer: TestIssuer
  let server: TestApi
  const open: TestApi[] = []
  const start = async (changes: object = {}) => {
    const started = await startApi({
      options: {
        auth: {
          mode: 'oidc',
          adminToken: ADMIN_TOKEN,
          issuer: {
            issuer: issuer.url,
            audience: 'stateward',
            jwksUrl: null,
            rolesClaim: 'roles',
            nameClaim: 'sub',
            roleMap: [],
            ...changes,
          },
        },
      },
    })
    open.push(started)
    return started
  }
  const ask = (target: TestApi, token: string) =>
    target.server.app.inject({
      method: 'POST',
      url: '/api/v1/events',
      headers: bearer(token),
      payload: { event_name: 'test.oidc' },
    })

  beforeAll(async () => {
    issuer = await startIssuer()
    server = await start()
  })
  afterEach(() => issuer.setUp(true))
  afterAll(async () => {
    for (const each of open) await each.stop()
    await issuer.close()
  })

  it('names a person with the roles it claims', async () => {
    const response = await ask(server, await issuer.token({ sub: 'ada@example.com', roles: ['operator'] }))
    expect([response.statusCode, response.json().actor]).toEqual([201, 'user:ada@example.com'])
    const viewer = await ask(server, await issuer.token({ sub: 'bob', roles: 'viewer' }))
    expect(viewer.statusCode).toBe(403)
    expect((await ask(server, await issuer.token({ sub: 'eve', roles: ['agent', 'nothing'] }))).statusCode).toBe(403)
  })

  it('maps groups inside of another claim to roles, and then nothing else counts', async () => {
    const mapped = await start({
      rolesClaim: 'realm_access.groups',
      roleMap: ['platform=operator'],
      nameClaim: 'email',
    })
    const token = (groups: string[]) => issuer.token({ sub: '1', email: 'ada@example.com', realm_access: { groups } })
    const response = await ask(mapped, await token(['platform']))
    expect([response.statusCode, response.json().actor]).toEqual([201, 'user:ada@example.com'])
    expect((await ask(mapped, await token(['operator', 'admin']))).statusCode).toBe(403)
    expect((await ask(mapped, await issuer.token({ sub: '1' }))).statusCode).toBe(401)
  })

  it('is refused when it is not good', async () => {
    const claims = { sub: 'ada', roles: ['admin'] }
    const header = { alg: 'HS256', kid: 'key-1' }
    const shared = createSecretKey(Buffer.from('x'.repeat(32)))
    const good = await issuer.token(claims)
    const tokens = {
      'of another audience': await issuer.token(claims, { audience: 'other' }),
      over: await issuer.token(claims, { expires: '-2m' }),
      altered: `${good.slice(0, -4)}AAAA`,
      unsigned: new UnsecuredJWT(claims)
        .setIssuer(issuer.url)
        .setAudience('stateward')
        .setExpirationTime('1h')
        .encode(),
      'signed with a secret': await new SignJWT(claims)
        .setProtectedHeader(header)
        .setIssuer(issuer.url)
        .setAudience('stateward')
        .setExpirationTime('1h')
        .sign(shared),
      'without a name': await issuer.token({ roles: ['admin'] }),
    }
    for (const [name, token] of Object.entries(tokens)) {
      expect([name, (await ask(server, token)).statusCode]).toEqual([name, 401])
    }
    expect((await ask(server, good)).statusCode).toBe(201)
  })

  it('is checked with keys that are kept, and fetched again when they change', async () => {
    const before = issuer.fetched()
    for (let i = 0; i < 5; i++)
      expect((await ask(server, await issuer.token({ sub: 'ada', roles: ['operator'] }))).statusCode).toBe(201)
    expect(issuer.fetched()).toBe(before)
    // A rotation is seen at once by who has not looked lately.
    await issuer.rotate()
    const fresh = await start()
    expect((await ask(fresh, await issuer.token({ sub: 'ada', roles: ['operator'] }))).statusCode).toBe(201)
  })

  it('is neither good nor bad while the keys cannot be read', async () => {
    issuer.setUp(false)
    const later = await start()
    const token = await issuer.token({ sub: 'ada', roles: ['operator'] })
    expect((await ask(later, token)).statusCode).toBe(503)
    issuer.setUp(true)
    expect((await ask(later, token)).statusCode).toBe(201)
  })

  it('means nothing to a server without an issuer', async () => {
    expect((await emit(bearer(await issuer.token({ sub: 'ada', roles: ['admin'] })))).statusCode).toBe(401)
  })

  it('is what MCP clients are told to ask for a token', async () => {
    // Keys are fetched again after a while alone, and they were changed a moment ago.
    const { server: api } = await start()
    const refused = await api.app.inject({ method: 'POST', url: '/mcp', payload: {} })
    const [, address = ''] = /resource_metadata="([^"]+)"/.exec(String(refused.headers['www-authenticate'])) ?? []
    expect([refused.statusCode, address]).toEqual([401, 'http://localhost:80/.well-known/oauth-protected-resource/mcp'])
    for (const url of [new URL(address).pathname, '/.well-known/oauth-protected-resource'])
      expect((await api.app.inject({ url })).json()).toMatchObject({
        resource: 'http://localhost:80/mcp',
        authorization_servers: [issuer.url],
      })
    const token = await issuer.token({ sub: 'ada@example.com', roles: ['operator'] })
    const headers = {
      ...bearer(token),
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    }
    const payload = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
    const listed = await api.app.inject({ method: 'POST', url: '/mcp', headers, payload })
    expect([listed.statusCode, listed.payload]).toEqual([200, expect.stringContaining('proposals_propose')])
    const elsewhere = await api.app.inject({ url: '/api/v1/runs' })
    expect([elsewhere.statusCode, elsewhere.headers['www-authenticate']]).toEqual([401, 'Bearer realm="stateward"'])
    const without = await startApi({ options: { auth: { mode: 'token', adminToken: ADMIN_TOKEN } } })
    expect((await without.server.app.inject({ url: new URL(address).pathname })).statusCode).toBe(404)
    await without.stop()
  })

  it('is not taken over plain http from another machine, nor without an issuer', async () => {
    await expect(start({ issuer: 'http://login.example.com' })).rejects.toMatchObject({ ref: 'SW_CONFIG_INVALID' })
    await expect(start({ roleMap: ['x=boss'] })).rejects.toMatchObject({ ref: 'SW_CONFIG_INVALID' })
    await expect(startApi({ options: { auth: { mode: 'oidc', adminToken: ADMIN_TOKEN } } })).rejects.toMatchObject({
      ref: 'SW_CONFIG_INVALID',
    })
  })
})

describe('pages of other origins', () => {
  it('may not even ask, unless their origin is configured', async () => {
    const preflight = { origin: 'http://localhost:5173', 'access-control-request-method': 'GET' }
    const closed = await send('OPTIONS', '/api/v1/events', preflight)
    expect([closed.statusCode, closed.headers['access-control-allow-origin']]).toEqual([403, undefined])
    const open = await startApi({ options: { trusted: { origins: ['http://localhost:5173'] } } })
    const asked = await open.server.app.inject({ method: 'OPTIONS', url: '/api/v1/events', headers: preflight })
    expect([asked.statusCode, asked.headers['access-control-allow-origin']]).toEqual([204, 'http://localhost:5173'])
    const read = await open.server.app.inject({ url: '/api/v1/events', headers: { origin: 'http://localhost:5173' } })
    expect([read.statusCode, read.headers['access-control-allow-origin']]).toEqual([200, 'http://localhost:5173'])
    const other = await open.server.app.inject({ url: '/api/v1/events', headers: { origin: 'http://evil.example' } })
    expect(other.statusCode).toBe(403)
    await open.stop()
  })
})

describe('an agent', () => {
  it('has no more than its own routes', async () => {
    expect((await send('GET', '/api/v1/roles', asAgent)).statusCode).toBe(403)
    const heartbeat = { instance_id: AGENT.instanceId, status: 'idle' }
    expect((await send('POST', '/api/v1/agents/sre/heartbeat', asAgent, heartbeat)).statusCode).toBe(200)
    expect((await send('POST', '/api/v1/agents/other/heartbeat', asAgent, heartbeat)).statusCode).toBe(403)
  })
})
