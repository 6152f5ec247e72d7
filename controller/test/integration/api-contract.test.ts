import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ADMIN_TOKEN, AGENT, asAdmin, asAgent, startApi, type TestApi } from '../support/api-server.ts'

let api: TestApi

beforeAll(async () => {
  api = await startApi({
    services: {
      agents: {
        pickup: async () => {
          throw new Error('secret detail of the inside')
        },
      },
    },
    checks: [{ name: 'database', problem: async () => null }],
  })
})
afterAll(() => api.stop())

const inject = (method: string, url: string, extra: { headers?: Record<string, string>; payload?: unknown } = {}) =>
  api.server.app.inject({ method: method as 'GET', url, ...(extra as object) })

describe('every answer', () => {
  it("carries the caller's correlation id back, or a new one", async () => {
    const own = await inject('GET', '/api/v1/health', { headers: { 'x-correlation-id': 'build-42' } })
    expect(own.headers['x-correlation-id']).toBe('build-42')
    expect(own.json().correlation_id).toBe('build-42')
    const made = await inject('GET', '/api/v1/health', { headers: { 'x-correlation-id': 'a b\u00e9' } })
    expect(made.headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('says it in records, too, where they have none of their own', async () => {
    const headers = { ...asAdmin, 'x-correlation-id': 'build-43' }
    const made = await inject('POST', '/api/v1/artifacts', { headers, payload: { name: 'a.txt' } })
    expect(made.json().correlation_id).toBe('build-43')
    const read = await inject('GET', `/api/v1/artifacts/${made.json().artifact_id}`)
    expect(read.json().correlation_id).toBe(read.headers['x-correlation-id'])
    const event = await inject('POST', '/api/v1/events', { headers, payload: { event_name: 'build.done' } })
    const again = await inject('GET', `/api/v1/events/${event.json().event_id}`)
    expect(again.json().correlation_id).toBe('build-43')
    const cloud = { accept: 'application/cloudevents+json' }
    expect(
      (await inject('GET', `/api/v1/events/${event.json().event_id}`, { headers: cloud })).json(),
    ).not.toHaveProperty('correlation_id')
  })

  it('forbids framing, sniffing and foreign content', async () => {
    const { headers } = await inject('GET', '/api/v1/health')
    expect(headers['content-security-policy']).toContain("default-src 'self'")
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['x-frame-options']).toBeDefined()
  })
})

describe('health and probes', () => {
  it("show the seeds' health document", async () => {
    const response = await inject('GET', '/api/v1/health')
    expect(response.json()).toMatchObject({
      status: 'ok',
      version: '0.0.0-test',
      uptime_seconds: expect.any(Number),
      now: expect.any(String),
    })
  })

  it('are not ready while a check does not hold, and say which', async () => {
    const starting = await startApi({
      checks: [
        { name: 'first reconcile', problem: async () => 'no revision was applied yet' },
        { name: 'leadership', problem: () => Promise.reject(new Error('no leader')) },
      ],
    })
    const ready = await starting.server.app.inject('/readyz')
    expect(ready.statusCode).toBe(503)
    expect(ready.json().checks).toEqual([
      { name: 'first reconcile', problem: 'no revision was applied yet' },
      { name: 'leadership', problem: 'no leader' },
    ])
    expect((await starting.server.app.inject('/livez')).statusCode).toBe(200)
    expect((await starting.server.app.inject('/api/v1/health')).json().status).toBe('starting')
    await starting.stop()
    expect((await inject('GET', '/readyz')).statusCode).toBe(200)
  })

  it('answer alone until the accepted state is known: nothing is listed as if it were all there is', async () => {
    let loaded = false
    const starting = await startApi({ loaded: () => loaded })
    const { app } = starting.server
    for (const path of ['/livez', '/readyz', '/metrics']) expect((await app.inject(path)).statusCode).toBe(200)
    for (const path of ['/health', '/api/v1/health'])
      expect(await app.inject(path)).toMatchObject({ statusCode: 503, body: expect.stringContaining('starting') })
    for (const path of ['/api/v1/runs', '/kube/apis/stateward.dev/v1alpha1/agents']) {
      const early = await app.inject(path)
      expect(early.statusCode).toBe(503)
      expect(early.body).toContain('does not know the accepted state yet')
      loaded = true
      expect((await app.inject(path)).statusCode).toBe(200)
      loaded = false
    }
    await starting.stop()
  })

  it('print Prometheus metrics with the routes that were asked', async () => {
    await inject('GET', '/api/v1/health')
    const response = await inject('GET', '/metrics')
    expect(response.headers['content-type']).toContain('text/plain')
    expect(response.body).toContain(
      'stateward_http_request_duration_seconds_count{method="GET",route="/api/v1/health",status="200"}',
    )
  })
})

describe('errors', () => {
  const post = (payload: unknown, headers: Record<string, string> = {}) =>
    inject('POST', '/api/v1/events', {
      headers: { ...asAdmin, 'content-type': 'application/json', ...headers },
      payload,
    })

  it.each<[string, () => ReturnType<typeof inject>, number, string, string]>([
    ['an unknown path', () => inject('GET', '/api/v1/nothing'), 404, 'not_found', 'SW_NOT_FOUND'],
    ['a path that cannot be decoded', () => inject('GET', '/api/v1/runs/%ff'), 400, 'bad_request', 'SW_BAD_REQUEST'],
    [
      'a method the path has not',
      () => inject('DELETE', '/api/v1/runs'),
      405,
      'method_not_allowed',
      'SW_METHOD_NOT_ALLOWED',
    ],
    ['a body that is not JSON', () => post('{"event_name":'), 400, 'invalid_json', 'SW_INVALID_JSON'],
    [
      'a body that reaches for the prototype',
      () => post('{"event_name":"a.b","data":{"__proto__":{"x":1}}}'),
      400,
      'invalid_json',
      'SW_INVALID_JSON',
    ],
    [
      'another content type',
      () => post('<a/>', { 'content-type': 'application/xml' }),
      415,
      'unsupported_media_type',
      'SW_UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a body over 20,480 bytes',
      () => post({ event_name: 'a.b', data: { x: 'x'.repeat(20_480) } }),
      413,
      'body_too_large',
      'SW_BODY_TOO_LARGE',
    ],
    [
      'a NUL character',
      () => post({ event_name: 'a.b', data: { x: 'a\u0000' } }),
      400,
      'invalid_text',
      'SW_INVALID_TEXT',
    ],
    [
      'a lone surrogate',
      () => post('{"event_name":"a.b","data":{"x":"\\ud800"}}'),
      400,
      'invalid_text',
      'SW_INVALID_TEXT',
    ],
    ['a NUL in the path', () => inject('GET', '/api/v1/runs/a%00b'), 400, 'invalid_text', 'SW_INVALID_TEXT'],
    [
      '10,000 levels of nesting',
      () => post(`{"event_name":"a.b","data":{"x":${'['.repeat(9000)}${']'.repeat(9000)}}}`),
      400,
      'validation_failed',
      'SW_VALIDATION_FAILED',
    ],
    ['a field of the wrong type', () => post({ event_name: 5 }), 400, 'validation_failed', 'SW_VALIDATION_FAILED'],
    ['no body', () => post(undefined), 400, 'validation_failed', 'SW_VALIDATION_FAILED'],
    [
      'a query out of range',
      () => inject('GET', '/api/v1/events?limit=5000'),
      400,
      'validation_failed',
      'SW_VALIDATION_FAILED',
    ],
    [
      'an unknown query field',
      () => inject('GET', '/api/v1/events?page=2'),
      400,
      'validation_failed',
      'SW_VALIDATION_FAILED',
    ],
    [
      'a cursor that is not ours',
      () => inject('GET', '/api/v1/events?cursor=zzz'),
      400,
      'bad_request',
      'SW_BAD_REQUEST',
    ],
    [
      'another name in Host',
      () => inject('GET', '/api/v1/health', { headers: { host: 'evil.example' } }),
      403,
      'host_refused',
      'SW_HOST_REFUSED',
    ],
    [
      'another Origin',
      () => inject('GET', '/api/v1/health', { headers: { origin: 'http://evil.example' } }),
      403,
      'host_refused',
      'SW_HOST_REFUSED',
    ],
    [
      'a name that is ours alone',
      () => post({ event_name: 'stateward.run.started' }),
      403,
      'forbidden',
      'SW_FORBIDDEN',
    ],
  ])('answer %s in the one shape', async (_name, request, status, code, ref) => {
    const response = await request()
    expect(response.statusCode).toBe(status)
    const body = response.json()
    expect(body).toEqual({
      error: {
        code,
        message: expect.any(String),
        details: expect.objectContaining({ ref, remedy: expect.stringMatching(/./) }),
      },
      correlation_id: response.headers['x-correlation-id'],
    })
  })

  it('list every violation with its place', async () => {
    const response = await post({ event_name: 'NoDots', resource: { type: 'x', id: 'y', z: 1 }, colour: 'red' })
    expect(response.json().error.details.violations).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ path: 'body/event_name', keyword: 'pattern' }),
        expect.objectContaining({ path: 'body/resource/z', message: 'is not a field of this request' }),
        expect.objectContaining({ path: 'body/colour', message: 'is not a field of this request' }),
      ]),
    )
  })

  it('name the methods a path has', async () => {
    expect((await inject('PUT', '/api/v1/events')).headers['allow']).toBe('GET, POST')
  })

  it('tell nothing of the inside when something breaks', async () => {
    const response = await inject('POST', `/api/v1/agents/sre/pickup`, {
      headers: asAgent,
      payload: { instance_id: AGENT.instanceId },
    })
    expect(response.statusCode).toBe(500)
    expect(response.body).not.toContain('secret detail')
    expect(response.json().error.code).toBe('internal')
  })

  it('have the shape of Kubernetes under /kube', async () => {
    const response = await inject('GET', '/kube/apis/stateward.dev/v1alpha1/gadgets')
    expect(response.statusCode).toBe(404)
    expect(response.json()).toMatchObject({
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      reason: 'NotFound',
      code: 404,
    })
    const write = await inject('PUT', '/kube/apis/stateward.dev/v1alpha1/namespaces/default/agents', { payload: {} })
    expect([write.statusCode, write.json().reason]).toEqual([405, 'MethodNotAllowed'])
  })
})

describe('the OpenAPI document', () => {
  it('is served to everybody, as it stands in the reference', async () => {
    const response = await inject('GET', '/openapi.json')
    expect(response.statusCode).toBe(200)
    const written = await readFile(new URL('../../../docs/reference/openapi.json', import.meta.url), 'utf8')
    expect(response.json()).toEqual(JSON.parse(written))
  })
})

describe('who may do what', () => {
  const anonymous = {}
  const pickup = { instance_id: AGENT.instanceId }
  const routes: [string, string, unknown, 'public' | 'read' | 'write' | 'agent'][] = [
    ['GET', '/api/v1/health', undefined, 'public'],
    ['GET', '/metrics', undefined, 'public'],
    ['GET', '/api/v1/events', undefined, 'read'],
    ['GET', '/kube/apis/stateward.dev/v1alpha1/agents', undefined, 'read'],
    ['POST', '/api/v1/events', { event_name: 'test.auth' }, 'write'],
    ['POST', '/api/v1/agents/sre/heartbeat', { ...pickup, status: 'idle' }, 'agent'],
    ['POST', '/api/v1/agents/register', { ...pickup, protocol: 1 }, 'agent'],
  ]
  const matrix = {
    none: { anonymous: ['public', 'read'], admin: ['public', 'read', 'write'], agent: ['public', 'agent'] },
    token: { anonymous: ['public'], admin: ['public', 'read', 'write'], agent: ['public', 'agent'] },
  }

  for (const mode of ['none', 'token'] as const) {
    it(`follows the matrix of mode ${mode}`, async () => {
      const other = await startApi({ options: { auth: { mode, adminToken: ADMIN_TOKEN } } })
      for (const [who, headers] of Object.entries({ anonymous, admin: asAdmin, agent: asAgent })) {
        for (const [method, url, payload, access] of routes) {
          const response = await other.server.app.inject({
            method: method as 'GET',
            url,
            headers: headers as Record<string, string>,
            ...(payload === undefined ? {} : { payload: payload as object }),
          })
          const allowed = matrix[mode][who as 'admin'].includes(access)
          const expected = allowed ? 200 : who === 'anonymous' ? 401 : 403
          expect([who, method, url, response.statusCode === 201 ? 200 : response.statusCode]).toEqual([
            who,
            method,
            url,
            expected,
          ])
        }
      }
      await other.stop()
    })
  }

  it('never takes a wrong credential for anonymous', async () => {
    for (const authorization of [`Bearer swk_${'C'.repeat(43)}`, 'Bearer swa_gone', 'Basic YTpi', 'Bearer']) {
      const response = await inject('GET', '/api/v1/events', { headers: { authorization } })
      expect([authorization, response.statusCode]).toEqual([authorization, 401])
      expect(response.headers['www-authenticate']).toContain('Bearer')
    }
  })

  it('takes the key from X-API-Key, too', async () => {
    const response = await inject('POST', '/api/v1/events', {
      headers: { 'x-api-key': ADMIN_TOKEN },
      payload: { event_name: 'test.key' },
    })
    expect([response.statusCode, response.json().actor]).toEqual([201, 'user:admin'])
  })

  it('lets nobody but the admin credential name a user', async () => {
    const named = await inject('POST', '/api/v1/events', { headers: asAdmin, payload: { event_name: 'test.named' } })
    expect(named.json().actor).toBe('user:ada')
    expect((await inject('GET', '/api/v1/events', { headers: { 'x-stateward-user': 'root' } })).statusCode).toBe(401)
    const agent = await inject('POST', '/api/v1/agents/sre/heartbeat', {
      headers: { ...asAgent, 'x-stateward-user': 'root' },
      payload: { ...pickup, status: 'idle' },
    })
    expect(agent.statusCode).toBe(403)
    expect(
      (await inject('GET', '/api/v1/events', { headers: { ...asAdmin, 'x-stateward-user': 'a b' } })).statusCode,
    ).toBe(400)
  })

  it('holds an instance to itself', async () => {
    const post = (url: string, payload: object) => inject('POST', url, { headers: asAgent, payload })
    const heartbeat = { ...pickup, status: 'idle' }
    expect((await post(`/api/v1/agents/${AGENT.agentUid}/heartbeat`, heartbeat)).statusCode).toBe(200)
    expect((await post('/api/v1/agents/sre/heartbeat?namespace=default', heartbeat)).statusCode).toBe(200)
    expect((await post('/api/v1/agents/sre/heartbeat?namespace=prod', heartbeat)).statusCode).toBe(403)
    expect((await post('/api/v1/agents/other/heartbeat', heartbeat)).statusCode).toBe(403)
    expect((await post('/api/v1/agents/sre/heartbeat', { ...heartbeat, instance_id: AGENT.agentUid })).statusCode).toBe(
      403,
    )
  })
})
