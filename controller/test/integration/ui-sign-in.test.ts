import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ADMIN_TOKEN, asAdmin, asAgent, startApi, type TestApi } from '../support/api-server.ts'
import { SetClock } from '../support/set-clock.ts'

let api: TestApi
let folder: string
const clock = new SetClock('2030-01-01T08:00:00.000Z')
const later = (ms: number): void => clock.set(new Date(clock.now().getTime() + ms))

beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/sw-sign-in-`)
  api = await startApi({
    clock,
    options: { auth: { mode: 'token', adminToken: ADMIN_TOKEN }, page: { folder, home: '/ui/runs' } },
  })
})
afterAll(async () => {
  await api.stop()
  await rm(folder, { recursive: true, force: true })
})

type Headers = Record<string, string>
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
const send = (method: Method, url: string, headers: Headers = {}) => api.server.app.inject({ method, url, headers })
const link = async (headers: Headers = asAdmin): Promise<string> =>
  (await send('POST', '/api/v1/page-links', headers)).json().path
const cookieOf = (answer: { readonly headers: Record<string, unknown> }): string =>
  String(answer.headers['set-cookie']).split(';', 1)[0]!
const signedIn = async (headers: Headers = asAdmin): Promise<Headers> => ({
  cookie: cookieOf(await send('GET', await link(headers))),
})
const status = async (method: Method, url: string, headers: Headers = {}) =>
  (await send(method, url, headers)).statusCode

describe('a link to the page', () => {
  it('signs a browser in: its cookie is read by no script and sent by no other site', async () => {
    const answer = await send('GET', await link())
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/ui/runs'])
    expect(String(answer.headers['set-cookie'])).toMatch(
      /^stateward_session=swu_[0-9A-Za-z]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    )
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(await status('GET', '/api/v1/runs', { cookie: cookieOf(answer) })).toBe(200)
  })

  it('works once', async () => {
    const path = await link()
    expect(await status('GET', path)).toBe(303)
    const again = await send('GET', path)
    expect([again.statusCode, again.headers['set-cookie']]).toEqual([410, undefined])
    expect(again.payload).toContain('stateward ui')
  })

  it('is over after five minutes, and what is no link is none', async () => {
    const path = await link()
    later(5 * 60_000 + 1)
    expect(await status('GET', path)).toBe(410)
    expect(await status('GET', '/ui/sign-in/nothing')).toBe(410)
    expect(await status('GET', `/ui/sign-in/swl_${'x'.repeat(43)}`)).toBe(410)
  })

  it('is made for people and keys, not for agents, and not for nobody', async () => {
    expect(await status('POST', '/api/v1/page-links')).toBe(401)
    expect(await status('POST', '/api/v1/page-links', asAgent)).toBe(403)
  })

  it('is written to the log, without what opens anything', async () => {
    const path = await link()
    await send('GET', path)
    const { items } = (await send('GET', '/api/v1/events?event_name=stateward.access.*&limit=1000', asAdmin)).json()
    const names = (items as { event_name: string }[]).map(({ event_name: name }) => name)
    expect(names).toEqual(expect.arrayContaining(['stateward.access.link_created', 'stateward.access.session_started']))
    expect(JSON.stringify(items)).not.toMatch(/sw[lu]_/)
  })
})

describe('the cookie', () => {
  it('reads, and does nothing else by any method', async () => {
    const cookie = await signedIn()
    for (const path of ['/api/v1/runs', '/api/v1/events', '/api/v1/keys', '/api/v1/proposals', '/api/v1/tasks'])
      expect([path, await status('GET', path, cookie)]).toEqual([path, 200])
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const)
      for (const path of [
        '/api/v1/runs',
        '/api/v1/keys',
        '/api/v1/keys/ci',
        '/api/v1/fleet/freeze',
        '/api/v1/page-links',
      ])
        expect([401, 403, 404, 405]).toContain(await status(method, path, cookie))
    for (const path of ['/api/v1/events', '/api/v1/keys', '/api/v1/fleet/freeze', '/api/v1/page-links'])
      expect([path, await status('POST', path, cookie)]).toEqual([path, 401])
  })

  it('reads no more than the key that made its link may', async () => {
    const made = await api.server.app.inject({
      ...{ method: 'POST', url: '/api/v1/keys', headers: asAdmin },
      payload: { name: 'watch', roles: ['viewer'] },
    })
    const cookie = await signedIn({ authorization: `Bearer ${made.json().token}` })
    expect(await status('GET', '/api/v1/runs', cookie)).toBe(200)
    expect(await status('GET', '/api/v1/keys', cookie)).toBe(403)
    expect((await send('GET', '/ui/session.json', cookie)).json()).toMatchObject({ principal: 'key:watch' })

    expect(await status('DELETE', '/api/v1/keys/watch', asAdmin)).toBe(200)
    expect(await status('GET', '/api/v1/runs', cookie)).toBe(401)
  })

  it('is nothing once it is over, and where it is none', async () => {
    const cookie = await signedIn()
    later(12 * 3_600_000 + 1)
    expect(await status('GET', '/api/v1/runs', cookie)).toBe(401)
    expect(await status('GET', '/api/v1/runs', { cookie: `stateward_session=swu_${'x'.repeat(43)}` })).toBe(401)
    expect((await send('GET', '/ui/session.json', cookie)).json()).toMatchObject({ principal: null, provider: false })
  })

  it('is nothing once its browser has signed out', async () => {
    const cookie = await signedIn()
    const answer = await send('GET', '/ui/sign-out', cookie)
    expect([answer.statusCode, answer.headers['set-cookie']]).toEqual([303, expect.stringContaining('Max-Age=0')])
    expect(await status('GET', '/api/v1/runs', cookie)).toBe(401)
  })

  it('does not count beside a credential that is wrong', async () => {
    const cookie = await signedIn()
    expect(await status('GET', '/api/v1/runs', { ...cookie, authorization: 'Bearer swk_wrong' })).toBe(401)
  })
})

describe('the identity provider', () => {
  let provider: Provider
  let open: TestApi

  beforeAll(async () => {
    provider = await startProvider()
    const issuer = {
      ...{ issuer: provider.url, audience: 'stateward', jwksUrl: null },
      ...{ rolesClaim: 'roles', nameClaim: 'name', roleMap: [] },
    }
    open = await startApi({
      options: {
        auth: { mode: 'oidc', adminToken: ADMIN_TOKEN, issuer, client: { id: 'the-page', secret: null } },
        page: { folder, home: '/ui/' },
      },
    })
  })
  afterAll(async () => {
    await open.stop()
    await provider.close()
  })
  const get = (url: string, headers: Headers = {}) =>
    open.server.app.inject({ method: 'GET', url, headers: { host: 'localhost:8088', ...headers } })

  /** As a browser would go: to the provider, and back with what it gives. */
  async function goThere() {
    const begun = await get('/ui/sign-in')
    const there = new URL(String(begun.headers.location))
    const kept = cookieOf(begun)
    const code = provider.agree(there.searchParams)
    const back = `/ui/sign-in/callback?${new URLSearchParams({ code, state: there.searchParams.get('state')! })}`
    return { begun, there, kept, back }
  }

  it('signs people in, who read what their roles may', async () => {
    const { begun, there, kept, back } = await goThere()
    expect(begun.statusCode).toBe(303)
    expect(String(begun.headers['set-cookie'])).toMatch(/HttpOnly; SameSite=Lax$/)
    expect(there.origin).toBe(new URL(provider.url).origin)
    expect(there.searchParams.get('redirect_uri')).toBe('http://localhost:8088/ui/sign-in/callback')
    expect(there.searchParams.get('code_challenge_method')).toBe('S256')
    const answer = await get(back, { cookie: kept })
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/ui/'])
    expect(String(answer.headers['set-cookie'])).toContain('SameSite=Strict')
    const session = { cookie: cookieOf(answer) }
    expect((await get('/ui/session.json', session)).json()).toMatchObject({ principal: 'user:ada', provider: true })
    expect((await get('/api/v1/runs', session)).statusCode).toBe(200)
    expect((await get('/api/v1/keys', session)).statusCode).toBe(403)
  })

  it('signs nobody in who began elsewhere, or twice with one code', async () => {
    const first = await goThere()
    const second = await goThere()
    expect((await get(first.back)).statusCode).toBe(400)
    expect((await get(first.back, { cookie: second.kept })).statusCode).toBe(403)
    expect((await get(second.back, { cookie: second.kept })).statusCode).toBe(303)
    expect((await get(second.back, { cookie: second.kept })).statusCode).toBe(403)
  })
})

interface Provider {
  readonly url: string
  /** Somebody agrees to what is asked for: the code the browser comes back with. */
  agree(asked: URLSearchParams): string
  close(): Promise<void>
}

/** An identity provider with one person, Ada, who looks. */
async function startProvider(): Promise<Provider> {
  const pair = await generateKeyPair('RS256', { extractable: true })
  const codes = new Map<string, { readonly nonce: string; readonly client: string }>()
  const server: Server = createServer(async (request, response) => {
    const answer = (body: unknown, code = 200) =>
      response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.url === '/.well-known/openid-configuration') {
      answer({
        ...{ issuer: url, jwks_uri: `${url}/keys`, authorization_endpoint: `${url}/authorize` },
        ...{ token_endpoint: `${url}/token`, response_types_supported: ['code'] },
        ...{ code_challenge_methods_supported: ['S256'] },
      })
      return
    }
    if (request.url === '/keys') {
      answer({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }] })
      return
    }
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const code = new URLSearchParams(body).get('code') ?? ''
    const asked = codes.get(code)
    codes.delete(code)
    if (asked === undefined) {
      answer({ error: 'invalid_grant' }, 400)
      return
    }
    const token = await new SignJWT({ name: 'ada', roles: ['viewer'], nonce: asked.nonce })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer(url)
      .setAudience(asked.client)
      .setSubject('1')
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(pair.privateKey)
    answer({ access_token: 'opaque', token_type: 'Bearer', id_token: token })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    agree(asked) {
      const code = `code-${codes.size}-${asked.get('state')}`
      codes.set(code, { nonce: asked.get('nonce')!, client: asked.get('client_id')! })
      return code
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
