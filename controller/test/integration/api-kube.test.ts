import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ObjectView } from '../../src/kinds/resource.ts'
import { createObject, createRun, deleteObject, emit, updateObject } from '../support/api-rows.ts'
import { startApi, type TestApi } from '../support/api-server.ts'
import { connectAsOwner } from '../support/database.ts'
import { type LineReader, openLines } from '../support/http-lines.ts'

let api: TestApi
const live = new Map<string, Record<string, unknown>>()
const builtin: ObjectView = {
  apiVersion: 'stateward.dev/v1alpha1',
  kind: 'Tool',
  metadata: {
    name: 'fs.read',
    uid: 'builtin-fs.read',
    generation: 1,
    resourceVersion: '1',
    creationTimestamp: '2030-01-01T00:00:00.000Z',
  },
  spec: { executor: 'builtin' },
  status: {},
}

beforeAll(async () => {
  api = await startApi({
    listen: true,
    options: { timing: { keepaliveMs: 50 } },
    services: {
      views: {
        builtin: async (kind) => (kind === 'Tool' ? [builtin] : []),
        liveStatus: async (_kind, uids) => new Map([...live].filter(([uid]) => uids.includes(uid))),
      },
    },
  })
})
afterAll(() => api.stop())
beforeEach(async () => {
  await api.store.engine`DELETE FROM objects`
})

const BASE = '/kube/apis/stateward.dev/v1alpha1'
const get = async (path: string) => (await api.server.app.inject(`${BASE}${path}`)).json()
const names = (list: { items: ObjectView[] }) => list.items.map((item) => item.metadata.name)
const agent = (name: string, more: object = {}) => ({ kind: 'Agent', name, ...more })

describe('lists and objects', () => {
  it('carry the Kubernetes envelope and the number of the log as version', async () => {
    const uid = await createObject(
      api.store,
      agent('sre', { labels: { team: 'platform' }, spec: { replicas: 1 }, status: { phase: 'Running' } }),
    )
    const seq = await emit(api.store, { event_name: 'later.event' })
    const list = await get('/namespaces/default/agents')
    expect(list).toMatchObject({
      apiVersion: 'stateward.dev/v1alpha1',
      kind: 'AgentList',
      metadata: { resourceVersion: String(seq) },
    })
    expect(list.items).toEqual([
      {
        apiVersion: 'stateward.dev/v1alpha1',
        kind: 'Agent',
        metadata: {
          name: 'sre',
          namespace: 'default',
          uid,
          generation: 1,
          resourceVersion: String(seq - 1),
          creationTimestamp: '2030-01-01T00:00:00.000Z',
          labels: { team: 'platform' },
        },
        spec: { replicas: 1 },
        status: { phase: 'Running', lastAppliedRevision: 'c0ffee' },
      },
    ])
    expect(await get('/namespaces/default/agents/sre')).toEqual(list.items[0])
  })

  it('merge what changes by itself over the stored status', async () => {
    const uid = await createObject(api.store, agent('sre', { status: { phase: 'Running' } }))
    live.set(uid, { instances: [{ pid: 42 }] })
    expect((await get('/agents')).items[0].status).toMatchObject({ phase: 'Running', instances: [{ pid: 42 }] })
    expect((await get('/namespaces/default/agents/sre')).status).toMatchObject({ instances: [{ pid: 42 }] })
    live.clear()
  })

  it('know namespaces, and cluster-scoped kinds have none', async () => {
    await createObject(api.store, agent('a', { namespace: 'prod' }))
    await createObject(api.store, agent('b', { namespace: 'test' }))
    await createObject(api.store, { kind: 'Host', name: 'local', namespace: '' })
    expect(names(await get('/agents'))).toEqual(['a', 'b'])
    expect(names(await get('/namespaces/prod/agents'))).toEqual(['a'])
    expect((await get('/hosts/local')).metadata).not.toHaveProperty('namespace')
    for (const path of ['/namespaces/prod/hosts', '/agents/a', '/namespaces/prod/agents/b'])
      expect([path, (await get(path)).code]).toEqual([path, 404])
    expect(await get('/namespaces/prod/agents/nobody')).toMatchObject({
      reason: 'NotFound',
      message: 'agents.stateward.dev "nobody" not found',
      details: { name: 'nobody', kind: 'agents' },
    })
  })

  it('filter by labels and fields', async () => {
    await createObject(api.store, agent('a', { labels: { team: 'x' }, status: { phase: 'Running' } }))
    await createObject(api.store, agent('b', { labels: { team: 'y' }, status: { phase: 'Failed' } }))
    const query = async (text: string) => names(await get(`/agents?${text}`))
    expect(await query('labelSelector=team%3Dx')).toEqual(['a'])
    expect(await query('labelSelector=team%20in%20(x,y),team!%3Dx')).toEqual(['b'])
    expect(await query('fieldSelector=metadata.name%3Db')).toEqual(['b'])
    expect(await query('fieldSelector=status.phase%3DFailed')).toEqual(['b'])
    expect((await get('/agents?labelSelector=a%3Db%3Dc')).reason).toBe('BadRequest')
    expect((await get('/agents?limit=x')).reason).toBe('BadRequest')
  })

  it('say after every change what a list says that reads everything anew', async () => {
    const same = async (): Promise<string[]> => {
      for (const accept of ['application/json', 'application/json;as=Table;v=v1;g=meta.k8s.io']) {
        const list = async (query: string) =>
          (await api.server.app.inject({ url: `${BASE}/agents${query}`, headers: { accept } })).json()
        // What is asked for by a selector is read anew.
        const anew = await list('?labelSelector=!no-such-label')
        expect(await list('?limit=500')).toEqual(anew)
        expect(await Promise.all([list(''), list('?limit=500')])).toEqual([anew, anew])
      }
      return names(await get('/agents'))
    }
    expect(await same()).toEqual([])
    const [b, d] = [await createObject(api.store, agent('b')), await createObject(api.store, agent('d'))]
    expect(await same()).toEqual(['b', 'd'])
    await updateObject(api.store, agent('b', { status: { phase: 'Busy' }, labels: { team: 'x' } }), b)
    expect(await same()).toEqual(['b', 'd'])
    await createObject(api.store, agent('a', { namespace: 'z' }))
    await createObject(api.store, agent('c'))
    expect(await same()).toEqual(['b', 'c', 'd', 'a'])
    live.set(d, { instances: [{ pid: 7 }] })
    expect(await same()).toEqual(['b', 'c', 'd', 'a'])
    // Gone and there again; and one comes while another one goes.
    await deleteObject(api.store, agent('d'), d)
    live.clear()
    await createObject(api.store, agent('d'))
    await deleteObject(api.store, agent('b'), b)
    await createObject(api.store, agent('e'))
    expect(await same()).toEqual(['c', 'd', 'e', 'a'])
    // A cluster counts generations, which is no event.
    await api.store.engine`UPDATE objects SET generation = 9 WHERE name = 'c'`
    expect(await same()).toEqual(['c', 'd', 'e', 'a'])
    expect((await get('/agents')).items[0].metadata.generation).toBe(9)
  })

  it('come in pages that together are everything once, at the version of the first', async () => {
    for (const [name, namespace] of [
      ['a', 'p'],
      ['b', 'p'],
      ['a', 'q'],
      ['c', 'q'],
      ['d', 'q'],
    ])
      await createObject(api.store, agent(name!, { namespace }))
    const first = await get('/agents?limit=2')
    const second = await get(`/agents?limit=2&continue=${first.metadata.continue}`)
    await createObject(api.store, agent('e', { namespace: 'q' }))
    const third = await get(`/agents?limit=2&continue=${second.metadata.continue}`)
    const seen = [first, second, third].flatMap((list) =>
      list.items.map((item: ObjectView) => `${item.metadata.namespace}/${item.metadata.name}`),
    )
    expect(seen).toEqual(['p/a', 'p/b', 'q/a', 'q/c', 'q/d', 'q/e'])
    expect(third.metadata).toEqual({ resourceVersion: first.metadata.resourceVersion })
    expect((await get('/agents?continue=zzz')).reason).toBe('BadRequest')
  })

  it('refuse a version above the head', async () => {
    const status = await get('/agents?resourceVersion=999999999')
    expect([status.code, status.reason]).toEqual([410, 'Expired'])
  })

  it('show built-in tools in every namespace unless a declared one takes the name', async () => {
    expect(names(await get('/namespaces/prod/tools'))).toEqual(['fs.read'])
    expect((await get('/namespaces/prod/tools/fs.read')).metadata.namespace).toBe('prod')
    await createObject(api.store, { kind: 'Tool', name: 'fs.read', namespace: 'prod', spec: { executor: 'command' } })
    const { items } = await get('/namespaces/prod/tools')
    expect(items.map((tool: ObjectView) => tool.spec['executor'])).toEqual(['command'])
  })

  it('find a blueprint by the id its older format had', async () => {
    await createObject(api.store, {
      kind: 'Blueprint',
      name: 'auto-remediate',
      annotations: { 'stateward.dev/v0-id': 'Auto_Remediate' },
    })
    expect((await get('/namespaces/default/blueprints/Auto_Remediate')).metadata.name).toBe('auto-remediate')
  })

  it('show runs with phase and condition Succeeded', async () => {
    const id = await createRun(api.store, {
      name: 'fix-abcdef',
      condition: { reason: 'WaitingForApproval', message: 'gate approve' },
    })
    const run = await get('/namespaces/default/runs/fix-abcdef')
    expect(run).toMatchObject({
      kind: 'Run',
      metadata: {
        name: 'fix-abcdef',
        uid: id,
        resourceVersion: expect.stringMatching(/^[1-9]/),
        labels: { 'stateward.dev/blueprint': 'fix' },
      },
      spec: { blueprintRef: { name: 'fix' }, revision: 'c0ffee' },
      status: {
        phase: 'running',
        conditions: [{ type: 'Succeeded', status: 'Unknown', reason: 'WaitingForApproval', message: 'gate approve' }],
      },
    })
    expect((await get('/namespaces/default/runs/fix-ab')).metadata.name).toBe('fix-abcdef')
    for (const [status, condition] of [
      ['completed', 'True'],
      ['failed', 'False'],
      ['cancelled', 'False'],
    ]) {
      await api.store.engine`UPDATE runs SET status = ${status!} WHERE run_id = ${id}`
      expect((await get('/runs')).items[0].status.conditions[0]).toMatchObject({ status: condition })
    }
    expect((await get('/runs?labelSelector=stateward.dev/blueprint%3Dother')).items).toEqual([])
  })
})

describe('discovery', () => {
  it('lists what is served', async () => {
    const paths = ['/kube/version', '/kube/api', '/kube/apis', '/kube/apis/stateward.dev']
    const [version, core, groups, group] = await Promise.all(
      paths.map(async (path) => (await api.server.app.inject(path)).json()),
    )
    expect(version.gitVersion).toMatch(/^v1\./)
    expect(core.versions).toEqual(['v1'])
    expect(groups.groups[0]).toMatchObject({ name: 'stateward.dev', preferredVersion: { version: 'v1alpha1' } })
    expect(group.kind).toBe('APIGroup')
    const { resources } = await get('')
    expect(resources.map((resource: { name: string }) => resource.name)).toEqual(
      expect.arrayContaining(['agents', 'blueprints', 'hosts', 'tools', 'runs']),
    )
  })
})

type Change = { type: string; object: ObjectView & { code?: number } }
const change = async (watch: LineReader): Promise<Change> => JSON.parse((await watch.next()) ?? 'null')
const brief = ({ type, object }: Change) => [type, object.metadata.name]
const watching = (query: string) => openLines(`${api.url}${BASE}${query}`)
const head = async (): Promise<string> => (await get('/agents')).metadata.resourceVersion

describe('watches', () => {
  it('send what is there first when no version is given, then what changes', async () => {
    const uid = await createObject(api.store, agent('a'))
    const watch = await watching('/agents?watch=true')
    expect(brief(await change(watch))).toEqual(['ADDED', 'a'])
    await updateObject(api.store, agent('a', { spec: { replicas: 2 } }), uid)
    const modified = await change(watch)
    expect([brief(modified), modified.object.spec['replicas']]).toEqual([['MODIFIED', 'a'], 2])
    const other = await createObject(api.store, agent('b'))
    expect(brief(await change(watch))).toEqual(['ADDED', 'b'])
    await deleteObject(api.store, agent('b', { labels: { x: '1' } }), other)
    const deleted = await change(watch)
    expect([brief(deleted), deleted.object.metadata.labels, deleted.object.metadata.uid]).toEqual([
      ['DELETED', 'b'],
      { x: '1' },
      other,
    ])
    expect(Number(deleted.object.metadata.resourceVersion)).toBeGreaterThan(
      Number(modified.object.metadata.resourceVersion),
    )
    watch.close()
  })

  it('resume at a version and miss nothing', async () => {
    const a = await createObject(api.store, agent('a'))
    const from = await head()
    await updateObject(api.store, agent('a', { spec: { n: 1 } }), a)
    await createObject(api.store, agent('b'))
    const gone = await createObject(api.store, agent('c'))
    await deleteObject(api.store, agent('c'), gone)
    const watch = await watching(`/agents?watch=true&resourceVersion=${from}`)
    expect([brief(await change(watch)), brief(await change(watch))]).toEqual([
      ['MODIFIED', 'a'],
      ['ADDED', 'b'],
    ])
    await updateObject(api.store, agent('a', { spec: { n: 2 } }), a)
    // `c` came and went before the watch began: nobody has to hear of it.
    expect(brief(await change(watch))).toEqual(['MODIFIED', 'a'])
    watch.close()
  })

  it('follow one namespace and one kind only', async () => {
    const watch = await watching(`/namespaces/prod/agents?watch=true&resourceVersion=${await head()}`)
    await createObject(api.store, agent('elsewhere', { namespace: 'test' }))
    await createObject(api.store, { kind: 'Blueprint', name: 'bp', namespace: 'prod' })
    await createObject(api.store, agent('here', { namespace: 'prod' }))
    expect(brief(await change(watch))).toEqual(['ADDED', 'here'])
    watch.close()
  })

  it('send an object that stops matching as DELETED, and one that begins to as ADDED', async () => {
    const uid = await createObject(api.store, agent('a', { labels: { team: 'x' } }))
    const other = await createObject(api.store, agent('b', { labels: { team: 'y' } }))
    for (const resumed of [false, true]) {
      const start = resumed ? `&resourceVersion=${await head()}` : ''
      const watch = await watching(`/agents?watch=true&labelSelector=team%3Dx${start}`)
      if (!resumed) expect(brief(await change(watch))).toEqual(['ADDED', 'a'])
      await updateObject(api.store, agent('b', { labels: { team: 'x' } }), other)
      expect(brief(await change(watch))).toEqual(['ADDED', 'b'])
      await updateObject(api.store, agent('b', { labels: { team: 'y' } }), other)
      expect(brief(await change(watch))).toEqual(['DELETED', 'b'])
      await updateObject(api.store, agent('a', { labels: { team: 'x' }, spec: { n: 1 } }), uid)
      expect(brief(await change(watch))).toEqual(['MODIFIED', 'a'])
      watch.close()
    }
  })

  it('send what began to match before the watch did as ADDED', async () => {
    const b = await createObject(api.store, agent('b', { labels: { team: 'y' } }))
    const from = await head()
    await updateObject(api.store, agent('b', { labels: { team: 'x' } }), b)
    const watch = await watching(`/agents?watch=true&labelSelector=team%3Dx&resourceVersion=${from}`)
    expect(brief(await change(watch))).toEqual(['ADDED', 'b'])
    watch.close()
  })

  it('follow runs through their events', async () => {
    const watch = await watching(`/runs?watch=true&resourceVersion=${await head()}`)
    const id = await createRun(api.store, { name: 'watch-aaaaaa' })
    expect(brief(await change(watch))).toEqual(['ADDED', 'watch-aaaaaa'])
    await api.store.engine`UPDATE runs SET status = 'completed' WHERE run_id = ${id}`
    await emit(api.store, { event_name: 'stateward.run.completed', run_id: id })
    const done = await change(watch)
    expect([brief(done), done.object.status['phase']]).toEqual([['MODIFIED', 'watch-aaaaaa'], 'completed'])
    watch.close()
  })

  it('answer a version above the head, with 410 in the stream', async () => {
    const above = await watching('/agents?watch=true&resourceVersion=999999999')
    expect(above.status).toBe(200)
    const error = JSON.parse((await above.next())!)
    expect([error.type, error.object.kind, error.object.code, error.object.reason]).toEqual([
      'ERROR',
      'Status',
      410,
      'Expired',
    ])
    expect(await above.next()).toBeNull()
  })

  it('answer a version whose events are gone with 410, for a list to begin again', async () => {
    const aged = await startApi({ listen: true })
    const owner = connectAsOwner(aged.store.database)
    try {
      await emit(aged.store, { event_name: 'long.ago' }, { event_name: 'long.ago' })
      await owner`DROP TABLE events_p000000`
      const old = await openLines(`${aged.url}${BASE}/agents?watch=true&resourceVersion=1`)
      expect(JSON.parse((await old.next())!)).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
      const current = await openLines(`${aged.url}${BASE}/agents?watch=true&resourceVersion=2&timeoutSeconds=1`)
      expect(await current.next()).toBeNull()
    } finally {
      await owner.end()
      await aged.stop()
    }
  })

  it('send bookmarks when asked for, and end after timeoutSeconds', async () => {
    const from = await head()
    const seq = await emit(api.store, { event_name: 'elsewhere.happened' })
    const watch = await watching(`/agents?watch=true&resourceVersion=${from}&allowWatchBookmarks=true&timeoutSeconds=1`)
    let last: Change | null = null
    for (let text = await watch.next(); text !== null; text = await watch.next()) last = JSON.parse(text)
    expect(last).toEqual({
      type: 'BOOKMARK',
      object: { kind: 'Agent', apiVersion: 'stateward.dev/v1alpha1', metadata: { resourceVersion: String(seq) } },
    })
  })

  it('give every change of many objects to many watchers', async () => {
    const from = await head()
    const watchers = await Promise.all(
      Array.from({ length: 5 }, () => watching(`/agents?watch=true&resourceVersion=${from}`)),
    )
    const uids = await Promise.all(Array.from({ length: 40 }, (_, n) => createObject(api.store, agent(`many-${n}`))))
    await Promise.all(uids.map((uid, n) => updateObject(api.store, agent(`many-${n}`, { spec: { last: true } }), uid)))
    for (const watch of watchers) {
      const done = new Set<string>()
      let version = 0
      while (done.size < 40) {
        const { object } = await change(watch)
        expect(Number(object.metadata.resourceVersion)).toBeGreaterThan(version)
        version = Number(object.metadata.resourceVersion)
        if (object.spec['last'] === true) done.add(object.metadata.name)
      }
      watch.close()
    }
  })
})
