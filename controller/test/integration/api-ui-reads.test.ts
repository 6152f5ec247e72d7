import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import { createObject, createRun, emit, endRun, openGate } from '../support/api-rows.ts'
import { startApi, type TestApi } from '../support/api-server.ts'

const TEXT = 'kind: Agent\n---\nkind: Agent\nmetadata: { name: beta }\n'
const person = { name: 'Ada', email: 'ada@example.com', time: '2030-01-01T00:00:00.000Z' }
const facts = { subject: 'More of them', author: person, committer: person, signed_by: null }

let api: TestApi
beforeAll(async () => {
  api = await startApi({
    services: {
      repository: {
        text: async () => TEXT,
        commits: async (revisions) => revisions.map((revision) => (revision === 'c2' ? facts : null)),
        change: async (revision) =>
          revision === 'abcdef1'
            ? { ...facts, revision, message: 'More', parents: [], patch: { text: '+x\n', truncated: false } }
            : null,
      },
      views: { effective: ({ name }) => ({ replicas: name === 'alpha' ? 3 : 1 }) },
    },
  })
})
afterAll(() => api.stop())

const get = async (url: string) => (await api.server.app.inject(url)).json()
const statusOf = async (url: string) => (await api.server.app.inject(url)).statusCode
const names = (page: { items: { name: string }[] }) => page.items.map(({ name }) => name)

const ready = (status: string) => ({
  conditions: [
    { type: 'Ready', status, reason: 'Succeeded', message: 'm', lastTransitionTime: '2030-01-01T00:00:00.000Z' },
    { type: 'Drifted', status: status === 'False' ? 'True' : 'False', reason: 'Drifted', message: 'd' },
  ],
})

describe('declared objects', () => {
  beforeAll(async () => {
    await createObject(api.store, { kind: 'Agent', name: 'alpha', spec: { replicas: 1 }, status: ready('True') })
    await createObject(api.store, { kind: 'Agent', name: 'beta', namespace: 'other', status: ready('False') })
    await createObject(api.store, { kind: 'Blueprint', name: 'alpha-plan', status: {} })
    const changes = [
      { kind: 'Agent', namespace: 'default', name: 'alpha', action: 'update', fields: [], file: 'f.yaml' },
      { kind: 'Blueprint', namespace: 'default', name: 'alpha-plan', action: 'create', fields: [] },
    ]
    const sync = async (seq: number, revision: string, of: object[]) => {
      await api.store.engine`
        INSERT INTO syncs (id, source, seq, from_revision, to_revision, outcome, counts, changes, issues, ignored, digest, actor, occurred_at, duration_ms)
        VALUES (${uuidv7()}, 'state', ${seq}, null, ${revision}, 'applied', '{}', ${api.store.engine.json(of as never)}, '[]', 0, 'd', 'system',
                '2030-01-01T00:00:00Z', 3)`
    }
    await sync(900_001, 'c1', changes)
    await sync(900_002, 'c2', changes.slice(0, 1))
    await sync(900_003, 'c3', changes.slice(1))
  })

  it('of all kinds come page after page, without specs', async () => {
    const first = await get('/api/v1/objects?limit=2')
    const rest = await get(`/api/v1/objects?limit=2&cursor=${first.next_cursor}`)
    expect([...names(first), ...names(rest)]).toEqual(['alpha', 'beta', 'alpha-plan'])
    expect(first.items[0]).toMatchObject({
      kind: 'Agent',
      file: 'f.yaml',
      document: 0,
      ready: 'True',
      revision: 'c0ffee',
    })
    expect(first.items[0]).not.toHaveProperty('spec')
    expect(rest.next_cursor).toBeNull()
  })

  it('are narrowed by kind, namespace, readiness, condition and a part of a name', async () => {
    expect(names(await get('/api/v1/objects?kind=agents'))).toEqual(['alpha', 'beta'])
    expect(names(await get('/api/v1/objects?kind=agent,blueprint&namespace=default'))).toEqual(['alpha', 'alpha-plan'])
    expect(names(await get('/api/v1/objects?ready=Unknown'))).toEqual(['alpha-plan'])
    expect(names(await get('/api/v1/objects?condition=Drifted'))).toEqual(['beta'])
    expect(names(await get('/api/v1/objects?q=PLAN'))).toEqual(['alpha-plan'])
    expect(names(await get('/api/v1/objects?q=%25'))).toEqual([])
    expect(await statusOf('/api/v1/objects?kind=nonsense')).toBe(404)
  })

  it('are read with what is written, what is acted on, and where it stands', async () => {
    const found = await get('/api/v1/objects/agent/alpha')
    expect(found).toMatchObject({
      spec: { replicas: 1 },
      effective: { replicas: 3 },
      line: 1,
      text: TEXT,
      overrides: [],
    })
    expect(await statusOf('/api/v1/objects/agent/nobody')).toBe(404)
    expect((await get('/api/v1/objects/agent/beta?namespace=other')).ready).toBe('False')
  })

  it('have a history of the commits that did something to them, with what each said', async () => {
    const first = await get('/api/v1/objects/agent/alpha/history?limit=1')
    const rest = await get(`/api/v1/objects/agent/alpha/history?limit=1&cursor=${first.next_cursor}`)
    expect(first.items).toMatchObject([{ revision: 'c2', action: 'update', file: 'f.yaml', commit: facts }])
    expect(rest.items).toMatchObject([{ revision: 'c1', commit: null }])
    expect(rest.next_cursor).toBeNull()
    expect((await get('/api/v1/objects/agent/never-was/history')).items).toEqual([])
  })
})

describe('a commit of the state repo', () => {
  it('is read with its patch', async () => {
    expect(await get('/api/v1/commits/abcdef1')).toMatchObject({ subject: 'More of them', patch: { text: '+x\n' } })
  })

  it('is 404 when the repository has lost it, and 400 when it cannot be one', async () => {
    expect(await statusOf('/api/v1/commits/1234567')).toBe(404)
    expect(await statusOf('/api/v1/commits/main')).toBe(400)
  })
})

describe('many runs', () => {
  it('are counted by status, and found by a part of their name', async () => {
    const [first] = [
      await createRun(api.store, { name: 'count-aaaaaa' }),
      await createRun(api.store, { name: 'count-bbbbbb' }),
    ]
    await endRun(api.store, first!, 'completed', { outputs: {} })
    await openGate(api.store, await createRun(api.store, { name: 'waits-cccccc', status: 'running' }))
    expect(await get('/api/v1/run-counts?q=count-')).toMatchObject({ completed: 1, total: 2, failed: 0, waiting: 0 })
    expect(await get('/api/v1/run-counts?q=waits-')).toMatchObject({ running: 1, waiting: 1 })
    expect(names(await get('/api/v1/runs?q=NT-A&values=false'))).toEqual(['count-aaaaaa'])
    expect(names(await get('/api/v1/runs?q=count_'))).toEqual([])
    expect(names(await get('/api/v1/runs?trigger=no*'))).toEqual([])
  })

  it('each come as a graph of its plan', async () => {
    await createRun(api.store, { name: 'graph-aaaaaa' })
    const { run, nodes } = await get('/api/v1/runs/graph-aaaaaa/graph')
    expect(run.name).toBe('graph-aaaaaa')
    expect(nodes.map((node: { path: string; waits_for: string[] }) => [node.path, node.waits_for])).toEqual([
      ['analyze', []],
      ['approve', ['analyze']],
      ['report', ['approve']],
    ])
    expect(await statusOf('/api/v1/runs/nope-nope/graph')).toBe(404)
  })
})

describe('the log', () => {
  it('can be read from any place of it, and only for what went wrong', async () => {
    const correlation = 'log-of-this-test'
    const last = await emit(
      api.store,
      ...['ci.build.started', 'ci.build.failed', 'stateward.alert.raised', 'ci.build.done', 'checkmk.alert'].map(
        (event_name) => ({ event_name, correlation_id: correlation, actor: 'user:ci' }),
      ),
      { event_name: 'stateward.object.status_changed', correlation_id: correlation, data: { ready: 'False' } },
      { event_name: 'stateward.object.status_changed', correlation_id: correlation, data: { ready: 'True' } },
    )
    const list = async (query: string) =>
      (await get(`/api/v1/events?correlation_id=${correlation}&${query}`)).items.map(
        ({ seq }: { seq: number }) => seq - last,
      )
    expect(await list('failures=true')).toEqual([-1, -2, -4, -5])
    expect(await list(`before=${last - 4}`)).toEqual([-5, -6])
    expect(await list('actor=user:ci&limit=1')).toEqual([-2])
  })
})
