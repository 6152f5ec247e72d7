import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { openFront } from '../../src/api/http/front.ts'
import { silentLogger } from '../../src/telemetry/logger.ts'
import { openSse } from '../support/sse.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

const PHASES = ['database', 'schema', 'rest', 'streams', 'worker', 'announced']

describe('before anything is served', () => {
  it('a process says that it lives and is not ready, on every address it will have', async () => {
    const front = await openFront({ port: 0, streamsPort: 0, authMode: 'none' }, silentLogger())
    const answers = async (path: string, init?: RequestInit) => {
      const response = await fetch(`${front.urls[0]}${path}`, init)
      return [response.status, response.headers.get('retry-after'), await response.json()]
    }
    expect(await answers('/livez')).toEqual([200, null, { status: 'ok', checks: [] }])
    expect(await answers('/readyz')).toMatchObject([503, '1', { status: 'not ready' }])
    for (const path of ['/health', '/api/v1/agents', '/events/ui'])
      expect(await answers(path)).toMatchObject([503, '1', { error: { code: 'not_ready' } }])
    const posted = await answers('/api/v1/events', { method: 'POST', body: 'x'.repeat(100_000) }).catch(() => [503])
    expect(posted[0]).toBe(503)
    expect((await fetch(`${front.streamsUrl}/health`)).status).toBe(503)
    front.serve((_request, response) => response.writeHead(204).end())
    expect((await fetch(`${front.urls[0]}/health`)).status).toBe(204)
    await front.close(0)
  })
})

describe('a start', () => {
  let installation: Installation | null = null
  afterEach(async () => {
    await installation?.end()
    installation = null
  })

  it('answers 503 until it can answer, then opens streams, goes on with work, and says so on every stream', async () => {
    const it = await createInstallation({
      'a.yaml': JSON.stringify({
        apiVersion: 'stateward.dev/v1alpha1',
        kind: 'Agent',
        metadata: { name: 'a' },
        spec: PER_TASK,
      }),
    })
    installation = it
    await it.start()
    const before = await it.logSeq()
    await it.stop()
    const port = await freePort()
    const watching = watch(port)
    await it.start({ port: String(port) })
    const seen = await watching
    // Each goes over once, and health before readiness.
    expect(seen.health).toEqual([...new Set(seen.health)])
    expect([seen.health.at(-1), seen.ready.at(-1)]).toEqual([200, 200])
    expect(seen.ready.slice(0, -1).filter((status) => status === 200)).toEqual([])
    const stream = await openSse(`${it.stateward.url}/events/ui`, { 'last-event-id': String(before) })
    for (;;) {
      const message = (await stream.next())!
      if (message.event !== 'bus.restarted') continue
      expect(message.data.data.phases.map(({ name }: { name: string }) => name)).toEqual(PHASES.slice(0, -1))
      break
    }
    stream.close()
    const restarts = (await it.events(before)).filter(({ event_name }) => event_name === 'stateward.bus.restarted')
    expect(restarts).toHaveLength(1)
  })
})

/** The different statuses of the probes one after another, until the process is ready. */
async function watch(port: number): Promise<{ health: number[]; ready: number[] }> {
  const health: number[] = []
  const ready: number[] = []
  const ask = async (path: string, seen: number[]): Promise<void> => {
    const status = await fetch(`http://127.0.0.1:${port}${path}`).then(
      (response) => response.status,
      () => 0,
    )
    if (seen.at(-1) !== status) seen.push(status)
  }
  while (ready.at(-1) !== 200) {
    await ask('/health', health)
    await ask('/readyz', ready)
  }
  return { health, ready }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
