import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import { createObject, createRun, emit, endRun, openGate } from '../support/api-rows.ts'
import { startApi, type TestApi } from '../support/api-server.ts'
import { type LineReader, openLines } from '../support/http-lines.ts'

let api: TestApi
beforeAll(async () => {
  api = await startApi({ listen: true })
})
afterAll(() => api.stop())

const get = async (url: string) => (await api.server.app.inject(url)).json()
const statusOf = async (url: string) => (await api.server.app.inject(url)).statusCode

/** Names of the events of a stream, up to its end or as many as asked for. */
async function names(stream: LineReader, most = Number.POSITIVE_INFINITY): Promise<string[]> {
  const found: string[] = []
  for (let line = await stream.next(); line !== null && found.length < most; line = await stream.next()) {
    if (line.startsWith('event: ')) found.push(line.slice(7))
    const name = line.startsWith('data: ') ? JSON.parse(line.slice(6)).event_name : undefined
    if (name !== undefined) found.push(name.replace('stateward.run.', ''))
    if (found.length >= most) break
  }
  return found
}

describe('the events of one run', () => {
  it('come page after page, the oldest first, and none of another run', async () => {
    const runId = await createRun(api.store, { name: 'page-aaaaaa' })
    const other = await createRun(api.store, { name: 'page-bbbbbb' })
    for (let n = 0; n < 4; n++) {
      await emit(api.store, { event_name: 'a.b', run_id: other }, { event_name: `a.n${n}`, run_id: runId })
    }
    const first = await get('/api/v1/runs/page-aaaaaa/events?limit=3')
    const rest = await get(`/api/v1/runs/${runId}/events?limit=3&cursor=${first.next_cursor}`)
    expect([...first.items, ...rest.items].map((event) => event.event_name)).toEqual([
      'stateward.run.created',
      'a.n0',
      'a.n1',
      'a.n2',
      'a.n3',
    ])
    expect(rest.next_cursor).toBeNull()
  })

  it('are there for a run whose row is gone, and 404 for one that never was', async () => {
    const runId = await createRun(api.store, { name: 'gone-aaaaaa' })
    await api.store.engine`DELETE FROM runs WHERE run_id = ${runId}`
    expect((await get(`/api/v1/runs/${runId}/events`)).items).toHaveLength(1)
    expect(await statusOf(`/api/v1/runs/${uuidv7()}/events`)).toBe(404)
    expect(await statusOf(`/api/v1/runs/${uuidv7()}/events/stream`)).toBe(404)
    expect(await statusOf('/api/v1/runs/never-heard-of/events')).toBe(404)
  })

  it('stream from the first on, and the stream ends with the run', async () => {
    const runId = await createRun(api.store, { name: 'live-aaaaaa' })
    const stream = await openLines(`${api.url}/api/v1/runs/live-aaaaaa/events/stream`)
    expect(stream.headers.get('content-type')).toContain('text/event-stream')
    expect(await names(stream, 1)).toEqual(['created'])
    const other = await createRun(api.store, { name: 'live-bbbbbb' })
    await emit(api.store, { event_name: 'stateward.run.started', run_id: runId, data: { run: 'x', deadline: null } })
    await endRun(api.store, other, 'completed')
    await endRun(api.store, runId, 'failed', { error: failure })
    expect(await names(stream)).toEqual(['started', 'failed', 'end'])
  })

  it('of a run that has ended stream to their end at once; a reader that comes back gets what it has not seen', async () => {
    const runId = await createRun(api.store, { name: 'over-aaaaaa' })
    await endRun(api.store, runId, 'completed', { outputs: {} })
    const url = `${api.url}/api/v1/runs/${runId}/events/stream`
    expect(await names(await openLines(url))).toEqual(['created', 'completed', 'end'])
    const [{ seq }] = (await get(`/api/v1/runs/${runId}/events?limit=1`)).items
    expect(await names(await openLines(url, { 'last-event-id': String(seq) }))).toEqual(['completed', 'end'])
    expect((await openLines(url, { 'last-event-id': 'x' })).status).toBe(400)
  })
})

const failure = { code: 'tool_failed', category: 'tool', message: 'no', retryable: false }

describe('what else is told of a run', () => {
  it('are its gates, with who decided what', async () => {
    const runId = await createRun(api.store, { name: 'gates-aaaaaa' })
    const stepId = await openGate(api.store, runId)
    const { items } = await get('/api/v1/runs/gates-aaaaaa/gates')
    expect(items).toMatchObject([
      { step_id: stepId, step: 'approve', state: 'waiting', decisions: [], min_approvals: 1 },
    ])
    expect(await statusOf('/api/v1/runs/nope-nope/gates')).toBe(404)
  })

  it('are the attempts of its steps in order, and steps without their values', async () => {
    const runId = await createRun(api.store, { name: 'tries-aaaaaa' })
    await api.store.engine`
      INSERT INTO steps (run_id, path, attempt, step_id, kind, status, inputs, error)
      VALUES (${runId}, 'analyze', 1, ${uuidv7()}, 'agent_task', 'failed', '{"a":1}', '{"code":"x"}'),
             (${runId}, 'analyze', 2, ${uuidv7()}, 'agent_task', 'completed', '{"a":1}', NULL)`
    const brief = async (query: string) =>
      (await get(`/api/v1/runs/${runId}/steps?${query}`)).items.map(
        (step: { path: string; attempt: number; inputs: unknown }) => [step.path, step.attempt, step.inputs],
      )
    expect(await brief('values=false')).toEqual([
      ['analyze', 2, null],
      ['approve', 1, null],
      ['report', 1, null],
    ])
    expect((await brief('attempts=all')).slice(0, 3)).toEqual([
      ['analyze', 1, { a: 1 }],
      ['analyze', 2, { a: 1 }],
      ['approve', 1, null],
    ])
    expect(await statusOf(`/api/v1/runs/${runId}/steps?attempts=some`)).toBe(400)
  })
})

describe('the list of gates', () => {
  it('has those of all runs, by what became of them, in pages either way', async () => {
    const opened: string[] = []
    for (const name of ['g-one', 'g-two', 'g-three']) {
      const runId = await createRun(api.store, { name, namespace: 'gated' })
      const gate = await openGate(api.store, runId)
      await api.store.engine`
        UPDATE gates SET created_at = created_at + ${opened.length} * interval '1 second' WHERE step_id = ${gate}`
      opened.push(gate)
    }
    await api.store.engine`UPDATE gates SET state = 'expired' WHERE step_id = ${opened[1]!}`
    const list = async (query: string) => await get(`/api/v1/gates?namespace=gated&${query}`)
    const ids = async (query: string) => (await list(query)).items.map(({ gate_id: id }: { gate_id: string }) => id)
    const newest = [...opened].reverse()
    expect(await ids('')).toEqual(newest)
    expect(await ids('state=waiting&order=asc')).toEqual([opened[0], opened[2]])
    for (const [order, all] of [
      ['desc', newest],
      ['asc', opened],
    ] as const) {
      const first = await list(`order=${order}&limit=2`)
      const rest = await list(`order=${order}&limit=2&cursor=${first.next_cursor}`)
      expect([...first.items, ...rest.items].map(({ gate_id: id }: { gate_id: string }) => id)).toEqual(all)
      expect(rest.next_cursor).toBeNull()
    }
    expect((await list('state=expired')).items).toMatchObject([{ run: 'g-two', step: 'approve', state: 'expired' }])
    expect(await statusOf('/api/v1/gates?state=open')).toBe(400)
  })
})

describe('the list of runs', () => {
  it('is narrowed by several statuses, by time, by what waits for people, and by the older id of a blueprint', async () => {
    const create = (name: string, status: string, day: number) =>
      createRun(api.store, { name, namespace: 'narrow', status, createdAt: new Date(Date.UTC(2030, 0, day)) })
    const waiting = await create('a-running', 'running', 1)
    await create('b-failed', 'failed', 2)
    await create('c-cancelled', 'cancelled', 3)
    await create('d-completed', 'completed', 4)
    await openGate(api.store, waiting)
    const list = async (query: string) =>
      (await get(`/api/v1/runs?namespace=narrow&${query}`)).items.map((run: { name: string }) => run.name)
    expect(await list('status=failed,cancelled')).toEqual(['c-cancelled', 'b-failed'])
    expect(await list('since=2030-01-03T00:00:00.000Z')).toEqual(['d-completed', 'c-cancelled'])
    expect(await list('waits_for=approval')).toEqual(['a-running'])
    expect(await list('blueprint_ref=fix&limit=1')).toEqual(['d-completed'])
    expect(await list('blueprint_ref=bp.fix')).toEqual([])
    const annotations = { 'stateward.dev/v0-id': 'bp.fix' }
    await createObject(api.store, { kind: 'Blueprint', name: 'fix', namespace: 'narrow', annotations })
    expect(await list('blueprint_ref=bp.fix')).toHaveLength(4)
    for (const wrong of ['status=done', 'status=failed,', 'since=yesterday', 'waits_for=x']) {
      expect(await statusOf(`/api/v1/runs?${wrong}`)).toBe(400)
    }
  })
})
