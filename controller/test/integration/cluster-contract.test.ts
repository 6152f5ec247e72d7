import { load } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { KINDS } from '../../src/kinds/registry.ts'
import type { KubeClient } from '../../src/kube-client/kube-client.ts'
import { Reflector } from '../../src/kube-client/reflector.ts'
import type { KubeObject } from '../../src/kube-client/watch-lines.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { ClusterEvents } from '../../src/status/writers/cluster-events.ts'
import { API, CLUSTER_PEERS, type ClusterPeer } from '../support/kube-api/cluster-peer.ts'
import { createInstallation } from '../support/stateward.ts'

const WAIT = { timeout: 60_000, interval: 50 }

describe.each(CLUSTER_PEERS)('$name', ({ open }) => {
  let peer: ClusterPeer
  let namespace: string
  let projects: string
  let client: KubeClient

  beforeAll(async () => {
    peer = await open()
    ;({ namespace, client } = peer)
    projects = `${API}/namespaces/${namespace}/projects`
  }, 120_000)

  afterAll(() => peer.end())

  const create = async (name: string, more: JsonObject = {}) =>
    (await client.request({
      method: 'POST',
      path: projects,
      body: { apiVersion: 'stateward.dev/v1alpha1', kind: 'Project', metadata: { name, ...more }, spec: {} },
    })) as KubeObject
  const read = async (name: string) => (await client.request({ path: `${projects}/${name}` })) as KubeObject
  const apply = async (
    object: KubeObject,
    status: JsonObject,
    manager = 'stateward',
    force = true,
    resourceVersion: string | null = null,
  ) =>
    (await client.request({
      method: 'PATCH',
      path: `${projects}/${object.metadata.name}/status`,
      contentType: 'application/apply-patch+yaml',
      query: { fieldManager: manager, force },
      body: {
        apiVersion: 'stateward.dev/v1alpha1',
        kind: 'Project',
        metadata: {
          ...{ name: object.metadata.name, uid: object.metadata.uid },
          ...(resourceVersion === null ? {} : { resourceVersion }),
        },
        status,
      },
    })) as KubeObject
  const merge = (name: string, body: JsonObject) =>
    client.request({
      ...{ method: 'PATCH', path: `${projects}/${name}`, body, contentType: 'application/merge-patch+json' },
    } as const)

  test.each(KINDS.map((kind) => [kind.kind, kind] as const))('takes the example of %s as it is', async (_, kind) => {
    const example = load(kind.example) as { readonly metadata: JsonObject; readonly spec: JsonObject }
    const place = kind.scope === 'Cluster' ? '' : `namespaces/${namespace}/`
    const metadata = { name: `example-${namespace.slice(-8)}` }
    const stored = (await client.request({
      method: 'POST',
      path: `${API}/${place}${kind.plural}`,
      query: { dryRun: 'All', fieldValidation: 'Strict' },
      body: { apiVersion: 'stateward.dev/v1alpha1', kind: kind.kind, metadata, spec: example.spec },
    })) as KubeObject
    expect(stored['spec']).toEqual(example.spec)
  })

  test('applies a status: ours goes when it is left out, that of others stays, and the same again changes nothing', async () => {
    const object = await create('status')
    await apply(object, { effectiveDigest: 'theirs' }, 'somebody')
    const first = await apply(object, { observedGeneration: 1, lastAppliedRevision: 'a' })
    expect(first['status']).toEqual({ effectiveDigest: 'theirs', observedGeneration: 1, lastAppliedRevision: 'a' })
    const again = await apply(object, { observedGeneration: 1, lastAppliedRevision: 'a' })
    expect(again.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
    const second = await apply(object, { observedGeneration: 1 })
    expect(second['status']).toEqual({ effectiveDigest: 'theirs', observedGeneration: 1 })
    expect(second.metadata.generation).toBe(1)
    const contested = apply(object, { effectiveDigest: 'ours' }, 'stateward', false)
    await expect(contested).rejects.toMatchObject({ failure: 'conflict' })
    expect((await apply(object, { effectiveDigest: 'ours' }))['status']).toEqual({ effectiveDigest: 'ours' })
  })

  test('refuses a status that does not fit, one for what was there before, and one for nothing', async () => {
    const object = await create('refused')
    const bad = apply(object, { conditions: [{ type: 'Ready', status: 'Perhaps' }] })
    await expect(bad).rejects.toMatchObject({ failure: 'invalid' })
    const { metadata } = (await merge('refused', { metadata: { labels: { later: 'yes' } } })) as KubeObject
    const late = apply(object, { observedGeneration: 1 }, 'stateward', true, object.metadata.resourceVersion)
    await expect(late).rejects.toMatchObject({ failure: 'conflict' })
    const now = await apply(object, { observedGeneration: 1 }, 'stateward', true, metadata.resourceVersion)
    expect(now['status']).toEqual({ observedGeneration: 1 })
    await expect(apply({ ...object, metadata: { ...object.metadata, name: 'nobody' } }, {})).rejects.toMatchObject({
      failure: 'notFound',
    })
  })

  test('looks at the uid of what is written, but not at that of a status', async () => {
    const object = await create('another')
    const metadata = { ...object.metadata, uid: '00000000-0000-4000-8000-000000000000' }
    expect((await apply({ ...object, metadata }, { observedGeneration: 7 }))['status']).toEqual({
      observedGeneration: 7,
    })
    const labels = { of: 'another' }
    const { resourceVersion } = (await read('another')).metadata
    for (const version of [undefined, resourceVersion])
      await expect(
        merge('another', { metadata: { uid: metadata.uid, labels, ...(version && { resourceVersion: version }) } }),
      ).rejects.toMatchObject({ failure: 'invalid' })
    const both = merge('another', { metadata: { uid: metadata.uid, resourceVersion: '1', labels } })
    await expect(both).rejects.toMatchObject({ failure: 'conflict' })
  })

  test('counts generations by the spec, and leaves the status alone', async () => {
    const object = await create('counted')
    await apply(object, { observedGeneration: 1 })
    await merge('counted', { metadata: { labels: { team: 'a' } }, status: { observedGeneration: 9 } })
    expect((await read('counted')).metadata.generation).toBe(1)
    await merge('counted', { spec: { suspend: true } })
    const after = await read('counted')
    expect(after.metadata.generation).toBe(2)
    expect(after['status']).toEqual({ observedGeneration: 1 })
  })

  test('keeps what is deleted until its finalizers are gone, and takes them by version alone', async () => {
    const { metadata } = await create('held')
    const finalizers = ['stateward.dev/finalizer']
    await merge('held', { metadata: { uid: metadata.uid, resourceVersion: metadata.resourceVersion, finalizers } })
    const late = merge('held', { metadata: { resourceVersion: metadata.resourceVersion, finalizers: [] } })
    await expect(late).rejects.toMatchObject({ failure: 'conflict' })
    await client.request({ method: 'DELETE', path: `${projects}/held` })
    const going = await read('held')
    expect(going.metadata.deletionTimestamp).toBeDefined()
    expect((await apply(going, { observedGeneration: 1 }))['status']).toEqual({ observedGeneration: 1 })
    const { resourceVersion } = (await read('held')).metadata
    await merge('held', { metadata: { resourceVersion, finalizers: [] } })
    await expect(read('held')).rejects.toMatchObject({ failure: 'notFound' })
  })

  test('scales agents that say how many replicas they want, and nothing that has none', async () => {
    const spec = { runtime: { process: { command: ['cat'], mode: 'perTask' } }, replicas: 1 }
    const agents = `${API}/namespaces/${namespace}/agents`
    await client.request({
      ...{ method: 'POST', path: agents },
      body: { apiVersion: 'stateward.dev/v1alpha1', kind: 'Agent', metadata: { name: 'scaled' }, spec },
    })
    const path = `${agents}/scaled/scale`
    const before = (await client.request({ path })) as KubeObject
    expect(before).toMatchObject({ kind: 'Scale', metadata: { name: 'scaled', namespace }, spec: { replicas: 1 } })
    await client.request({
      ...{ method: 'PATCH', path, contentType: 'application/merge-patch+json', body: { spec: { replicas: 3 } } },
    } as const)
    const scaled = (await client.request({ path: `${agents}/scaled` })) as KubeObject
    expect(scaled).toMatchObject({ metadata: { generation: 2 }, spec: { ...spec, replicas: 3 } })
    await client.request({
      ...{ method: 'PUT', path, body: { ...before, metadata: { name: 'scaled', namespace }, spec: { replicas: 2 } } },
    } as const)
    expect(await client.request({ path })).toMatchObject({ spec: { replicas: 2 } })
    await client.request({ method: 'DELETE', path: `${agents}/scaled` })
    const { replicas: _replicas, ...silent } = spec
    await client.request({
      ...{ method: 'POST', path: agents },
      body: { apiVersion: 'stateward.dev/v1alpha1', kind: 'Agent', metadata: { name: 'silent' }, spec: silent },
    })
    await expect(client.request({ path: `${agents}/silent/scale` })).rejects.toMatchObject({ failure: 'server' })
    await client.request({ method: 'DELETE', path: `${agents}/silent` })
    await create('unscaled')
    await expect(client.request({ path: `${projects}/unscaled/scale` })).rejects.toMatchObject({ failure: 'notFound' })
  })

  test('tells a watch what was made, changed and deleted', async () => {
    const copy = new Reflector({
      ...{ client, path: projects, onChange: () => {}, random: () => 0.5 },
      monotonicMs: () => performance.now(),
    })
    copy.start()
    try {
      await vi.waitFor(() => expect(copy.objects).not.toBeNull(), WAIT)
      await create('watched')
      await vi.waitFor(() => expect(copy.objects?.has(`${namespace}/watched`)).toBe(true), WAIT)
      await merge('watched', { metadata: { labels: { seen: 'yes' } } })
      await vi.waitFor(
        () => expect(copy.objects?.get(`${namespace}/watched`)?.metadata.labels).toEqual({ seen: 'yes' }),
        WAIT,
      )
      await client.request({ method: 'DELETE', path: `${projects}/watched` })
      await vi.waitFor(() => expect(copy.objects?.has(`${namespace}/watched`)).toBe(false), WAIT)
    } finally {
      await copy.stop()
    }
  })

  test('takes events, and counts what is said again', async () => {
    const { metadata } = await create('told')
    const warnings: string[] = []
    const log = { warn: (_: object, message: string) => void warnings.push(message) }
    const events = new ClusterEvents({ client, clock: systemClock, instance: 'test', log })
    const regarding = {
      apiVersion: 'stateward.dev/v1alpha1',
      kind: 'Project',
      namespace,
      name: 'told',
      uid: metadata.uid,
    }
    for (const note of ['one', 'one', 'two', 'one']) events.record({ regarding, type: 'Normal', reason: 'Told', note })
    const counts = async () => {
      const { items } = (await client.request({
        path: `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
      })) as { readonly items: readonly (KubeObject & { readonly note?: string; readonly series?: JsonObject })[] }
      return items.filter(({ reason }) => reason === 'Told').map(({ note, series }) => [note, series?.['count'] ?? 1])
    }
    await vi.waitFor(
      async () =>
        expect((await counts()).sort()).toEqual([
          ['one', 3],
          ['two', 1],
        ]),
      WAIT,
    )
    await events.close()
    expect(warnings).toEqual([])
  })

  test('takes no events in a namespace that ends, and nobody complains of it', async () => {
    const ending = `${namespace}-ending`
    const path = `/api/v1/namespaces/${ending}`
    const metadata = { name: ending, finalizers: ['stateward.dev/test'] }
    await client.request({ method: 'POST', path: '/api/v1/namespaces', body: { metadata } })
    await client.request({ method: 'DELETE', path })
    try {
      const event = `/apis/events.k8s.io/v1/namespaces/${ending}/events`
      const refused = client.request({ method: 'POST', path: event, body: { metadata: { name: 'late' } } })
      await expect(refused).rejects.toMatchObject({ failure: 'forbidden', isOfEndingNamespace: true })
      const warnings: string[] = []
      const log = { warn: (_: object, message: string) => void warnings.push(message) }
      const events = new ClusterEvents({ client, clock: systemClock, instance: 'test', log })
      const at = { apiVersion: 'stateward.dev/v1alpha1', kind: 'Project', namespace: ending, name: 'a', uid: 'u' }
      events.record({ regarding: at, type: 'Normal', reason: 'Late', note: 'late' })
      await events.close()
      expect(warnings).toEqual([])
    } finally {
      await client.request({
        ...{ method: 'PATCH', path, contentType: 'application/merge-patch+json' },
        body: { metadata: { finalizers: null } },
      } as const)
    }
  })

  test('says what is wanted, and is told how it stands', async () => {
    const here = await createInstallation(null)
    try {
      const path = `${API}/namespaces/${namespace}/agents`
      const spec = { runtime: { process: { command: ['cat'], mode: 'perTask' } } }
      await here.start({ clusterSource: 'only', kubeconfig: peer.kubeconfig, clusterNamespaces: namespace })
      await client.request({
        method: 'POST',
        path,
        body: { apiVersion: 'stateward.dev/v1alpha1', kind: 'Agent', metadata: { name: 'worker' }, spec },
      })
      const isReady = async () => {
        const { status, metadata } = (await client.request({ path: `${path}/worker` })) as KubeObject
        const conditions = (status as { readonly conditions?: readonly JsonObject[] } | undefined)?.conditions ?? []
        expect(conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }))
        expect(metadata.finalizers).toEqual(['stateward.dev/finalizer'])
      }
      await vi.waitFor(isReady, WAIT)
      await client.request({ method: 'DELETE', path: `${path}/worker` })
      const gone = () =>
        expect(client.request({ path: `${path}/worker` })).rejects.toMatchObject({ failure: 'notFound' })
      await vi.waitFor(gone, WAIT)
    } finally {
      await here.end()
    }
  }, 120_000)
})
