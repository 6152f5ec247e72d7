import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { connectCluster } from '../../src/kube-client/connect.ts'
import type { KubeClient } from '../../src/kube-client/kube-client.ts'
import { toClusterError } from '../../src/kube-client/kube-error.ts'
import { Reflector } from '../../src/kube-client/reflector.ts'
import { KubeApiServer } from '../support/kube-api/kube-api-server.ts'
import { refuse } from '../support/kube-api/refusal.ts'

const AGENTS = '/apis/stateward.dev/v1alpha1/agents'
const IN_DEFAULT = '/apis/stateward.dev/v1alpha1/namespaces/default/agents'
const WAIT = { timeout: 20_000, interval: 20 }

const agent = (name: string, replicas = 1) => ({
  ...{ apiVersion: 'stateward.dev/v1alpha1', kind: 'Agent', metadata: { name } },
  spec: { runtime: { process: { command: ['true'] } }, replicas },
})

describe('the client of an API server', () => {
  let folder: string
  let server: KubeApiServer
  let client: KubeClient
  const running: Reflector[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stateward-kube-'))
    server = await new KubeApiServer({ token: 'let-me-in', bookmarkMs: 50 }).start()
    await writeFile(join(folder, 'config'), server.kubeconfig())
    client = await connectCluster({ kubeconfig: join(folder, 'config'), context: null })
  })

  afterEach(async () => {
    server.disturb = () => null
    for (const one of running.splice(0)) await one.stop()
    for (const { metadata } of server.store.list(server.resource('agents'), null))
      await client.request({ method: 'DELETE', path: `${IN_DEFAULT}/${metadata.name}` })
  })

  afterAll(async () => {
    client.close()
    await server.stop()
    await rm(folder, { recursive: true })
  })

  const create = (name: string, replicas?: number) =>
    client.request({ method: 'POST', path: IN_DEFAULT, body: agent(name, replicas) })
  const reflect = () => {
    let seed = 1
    const random = () => {
      seed = (seed * 16807) % 2147483647
      return seed / 2147483647
    }
    const one = new Reflector({
      client,
      path: AGENTS,
      onChange: () => {},
      random,
      monotonicMs: () => performance.now(),
    })
    running.push(one)
    one.start()
    return one
  }
  const names = (one: Reflector) => [...(one.objects?.keys() ?? [])].sort()

  test('tells what a request was refused for', async () => {
    await create('one')
    await expect(create('one')).rejects.toMatchObject({ failure: 'alreadyExists', status: 409 })
    const missing = client.request({ path: `${IN_DEFAULT}/nobody` })
    await expect(missing).rejects.toMatchObject({ failure: 'notFound', reason: 'NotFound' })
    const broken = client.request({ method: 'POST', path: IN_DEFAULT, body: agent('Capital') })
    await expect(broken.catch((error: unknown) => toClusterError(error))).resolves.toBeDefined()
    server.disturb = () => refuse(403, 'Forbidden', 'agents is forbidden')
    const error = await client.request({ path: AGENTS }).catch(toClusterError)
    expect(error).toMatchObject({ ref: 'SW_CLUSTER_FORBIDDEN', message: expect.stringContaining('forbidden') })
  })

  test('refuses a context that is not there', async () => {
    const connecting = connectCluster({ kubeconfig: join(folder, 'config'), context: 'elsewhere' })
    await expect(connecting).rejects.toMatchObject({ ref: 'SW_CLUSTER_CONFIG' })
    const without = connectCluster({ kubeconfig: join(folder, 'none'), context: null })
    await expect(without).rejects.toMatchObject({ ref: 'SW_CLUSTER_CONFIG' })
  })

  test('keeps a copy of a list by watching it', async () => {
    await create('one')
    const copy = reflect()
    await vi.waitFor(() => expect(names(copy)).toEqual(['default/one']), WAIT)
    await create('two', 2)
    await vi.waitFor(() => expect(names(copy)).toEqual(['default/one', 'default/two']), WAIT)
    const patch = { method: 'PATCH', path: `${IN_DEFAULT}/two`, body: { spec: { replicas: 3 } } } as const
    await client.request({ ...patch, contentType: 'application/merge-patch+json' })
    await vi.waitFor(() => expect(copy.objects?.get('default/two')?.['spec']).toMatchObject({ replicas: 3 }), WAIT)
    await client.request({ method: 'DELETE', path: `${IN_DEFAULT}/one` })
    await vi.waitFor(() => expect(names(copy)).toEqual(['default/two']), WAIT)
  })

  test('keeps the copy while the server is away, and goes on where it was', async () => {
    await create('one')
    const copy = reflect()
    await vi.waitFor(() => expect(names(copy)).toEqual(['default/one']), WAIT)
    await server.stop()
    await vi.waitFor(() => expect(copy.problem?.failure).toBe('unreachable'), WAIT)
    expect(names(copy)).toEqual(['default/one'])
    const lists = () => server.asked.filter(({ path, query }) => path === AGENTS && query.get('watch') === null).length
    const before = lists()
    await server.start()
    await create('two')
    await vi.waitFor(() => expect(names(copy)).toEqual(['default/one', 'default/two']), WAIT)
    expect(copy.problem).toBeNull()
    expect(lists()).toBe(before)
  })

  test('lists again when the version is too old', async () => {
    await create('one')
    const copy = reflect()
    await vi.waitFor(() => expect(names(copy)).toEqual(['default/one']), WAIT)
    await server.stop()
    server.store.delete(server.resource('agents'), server.store.find(server.resource('agents'), 'default', 'one'))
    server.store.create(server.resource('agents'), 'default', agent('two') as never)
    server.store.compact()
    await server.start()
    await vi.waitFor(() => expect(names(copy)).toEqual(['default/two']), WAIT)
    expect(copy.problem).toBeNull()
  })

  test('lists more than a page, and starts over when the pages end too early', async () => {
    for (let i = 0; i < 1_100; i++)
      server.store.create(server.resource('agents'), 'default', agent(`many-${i}`) as never)
    let wasCut = false
    server.disturb = ({ query }) => {
      if (wasCut || query.get('continue') === null) return null
      wasCut = true
      return refuse(410, 'Expired', 'The provided continue parameter is too old')
    }
    const copy = reflect()
    await vi.waitFor(() => expect(copy.objects?.size).toBe(1_100), WAIT)
    expect(wasCut).toBe(true)
  })

  test('waits as long as it is asked to', async () => {
    let refused = 0
    server.disturb = ({ path }) => (path === AGENTS && refused++ === 0 ? refuse(429, 'TooManyRequests', 'later') : null)
    const copy = reflect()
    await vi.waitFor(() => expect(copy.objects?.size).toBe(0), WAIT)
    expect(copy.problem).toBeNull()
  })
})
