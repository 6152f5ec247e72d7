import { afterEach, expect, it } from 'vitest'
import { AGENT, asAdmin, asAgent, startApi, type TestApi } from '../support/api-server.ts'
import { openLines } from '../support/http-lines.ts'

let api: TestApi
afterEach(() => api.stop())

const start = async (perPrincipal: number, total: number) => {
  api = await startApi({ listen: true, options: { limits: { perPrincipal, total, windowMs: 600_000 } } })
}
const get = (path: string, headers: Record<string, string> = {}) => fetch(`${api.url}${path}`, { headers })
const statuses = async (count: number, path: string, headers: Record<string, string> = {}) => {
  const found: number[] = []
  for (let i = 0; i < count; i++) found.push((await get(path, headers)).status)
  return found
}

it('holds one caller back and lets the others through, with the time to wait', async () => {
  await start(3, 0)
  expect(await statuses(4, '/api/v1/events', asAdmin)).toEqual([200, 200, 200, 429])
  const refused = await get('/api/v1/events', asAdmin)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await refused.json()).toMatchObject({
    error: {
      code: 'rate_limited',
      details: { ref: 'SW_RATE_LIMITED', limit: 3, retry_after_seconds: expect.any(Number) },
    },
  })
  expect((await get('/api/v1/events')).status).toBe(200)
  const heartbeat = await fetch(`${api.url}/api/v1/agents/sre/heartbeat`, {
    method: 'POST',
    headers: { ...asAgent, 'content-type': 'application/json' },
    body: JSON.stringify({ instance_id: AGENT.instanceId, status: 'idle' }),
  })
  expect(heartbeat.status).toBe(200)
})

it('holds back all together', async () => {
  await start(0, 3)
  expect(await statuses(2, '/api/v1/events', asAdmin)).toEqual([200, 200])
  expect(await statuses(2, '/api/v1/nothing')).toEqual([404, 429])
})

it('holds back who tries credentials', async () => {
  await start(2, 0)
  const wrong = { authorization: `Bearer swk_${'C'.repeat(43)}` }
  expect(await statuses(3, '/api/v1/events', wrong)).toEqual([401, 401, 429])
})

it('counts neither /kube, nor probes and metrics, nor streams', async () => {
  await start(1, 1)
  expect((await get('/api/v1/events')).status).toBe(200)
  for (const path of ['/livez', '/readyz', '/metrics', '/kube/apis', '/kube/apis/stateward.dev/v1alpha1/agents'])
    expect([path, await statuses(3, path)]).toEqual([path, [200, 200, 200]])
  for (let i = 0; i < 3; i++) {
    const stream = await openLines(`${api.url}/events/ui`)
    expect(await stream.next()).toBe('retry: 1000')
    stream.close()
  }
  expect((await get('/api/v1/events')).status).toBe(429)
})
