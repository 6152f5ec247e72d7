import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { vi } from 'vitest'
import { KINDS } from '../../../src/kinds/registry.ts'
import { connectCluster } from '../../../src/kube-client/connect.ts'
import type { KubeClient } from '../../../src/kube-client/kube-client.ts'
import type { KubeObject } from '../../../src/kube-client/watch-lines.ts'
import type { JsonObject } from '../../../src/lib/json.ts'
import { packageRoot } from '../../../src/lib/package-root.ts'
import { GIVEN, GivenApi } from './given-cluster.ts'
import { type Asked, KubeApiServer } from './kube-api-server.ts'
import type { Refusal } from './refusal.ts'

export const API = '/apis/stateward.dev/v1alpha1'
const WAIT = { timeout: 60_000, interval: 50 }

/** An API server with our kinds, to hold a suite against. */
export interface ClusterPeer {
  /** Of this suite alone. */
  readonly namespace: string
  /** As somebody else's; it speaks with the server also while that is away to those of {@link kubeconfig}. */
  readonly client: KubeClient
  /** The file that leads to the server. */
  readonly kubeconfig: string
  /** What was asked by it, in order. */
  readonly asked: readonly Asked[]
  /** Answers instead of the server where it returns a refusal. */
  disturb(by: (asked: Asked) => Refusal | null): void
  /** The server is away, as if it were killed. */
  leave(): Promise<unknown>
  /** It is back, and remembers nothing of what was watched before, as far as it can be made to forget. */
  comeBack(): Promise<unknown>
  end(): Promise<void>
}

/** The strict server of the tests, and a real one where there is one. */
export const CLUSTER_PEERS: readonly { readonly name: string; open(): Promise<ClusterPeer> }[] = [
  { name: 'the strict server of the tests', open: () => opened(null) },
  ...(GIVEN === null ? [] : [{ name: 'the cluster of KUBECONFIG', open: () => opened(GIVEN) }]),
]

async function opened(given: string | null): Promise<ClusterPeer> {
  const namespace = `stateward-test-${randomBytes(4).toString('hex')}`
  const folder = mkdtempSync(join(tmpdir(), 'stateward-contract-'))
  const strict = await new KubeApiServer({ bookmarkMs: 200 }).start()
  /** Both are on one store: it can be changed while one of them is away. */
  const front =
    given === null
      ? await new KubeApiServer({ bookmarkMs: 200, twin: strict }).start()
      : await new GivenApi(given).start()
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(kubeconfig, front.kubeconfig())
  const direct = join(folder, 'direct')
  writeFileSync(direct, strict.kubeconfig())
  const client = await connectCluster({ kubeconfig: given ?? direct, context: null })
  await client.request({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } })
  if (given !== null) await installCrds(client)
  return {
    ...{ namespace, client, kubeconfig, asked: front.asked },
    disturb(by) {
      front.disturb = by
    },
    leave: () => front.stop(),
    comeBack() {
      strict.store.compact()
      return front.start()
    },
    async end() {
      await client.request({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` })
      client.close()
      await front.stop()
      await strict.stop()
      rmSync(folder, { recursive: true })
    },
  }
}

/** Custom resources of the suite's namespace as somebody declares them. */
export function resourcesOf({ client, namespace }: Pick<ClusterPeer, 'client' | 'namespace'>) {
  const list = (plural: string) => `${API}/namespaces/${namespace}/${plural}`
  const find = async (plural: string, name: string) => {
    const { items } = (await client.request({ path: list(plural) })) as { readonly items: readonly KubeObject[] }
    return items.find(({ metadata }) => metadata.name === name) ?? null
  }
  return {
    find,
    create: (plural: string, kind: string, name: string, spec: JsonObject) =>
      client.request({
        ...{ method: 'POST', path: list(plural) },
        body: { apiVersion: 'stateward.dev/v1alpha1', kind, metadata: { name }, spec },
      } as const),
    patch: (plural: string, name: string, body: JsonObject) =>
      client.request({
        ...{ method: 'PATCH', path: `${list(plural)}/${name}`, contentType: 'application/merge-patch+json', body },
      } as const),
    remove: (plural: string, name: string) => client.request({ method: 'DELETE', path: `${list(plural)}/${name}` }),
    async condition(plural: string, name: string, type: string) {
      const status = (await find(plural, name))?.['status'] as
        | { readonly conditions?: readonly JsonObject[] }
        | undefined
      return status?.conditions?.find((one) => one['type'] === type) ?? null
    },
    async events(name: string) {
      const { items } = (await client.request({
        path: `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
      })) as { readonly items: readonly (KubeObject & { readonly regarding?: { readonly name: string } })[] }
      return items.filter(({ regarding }) => regarding?.name === name)
    },
  }
}

async function installCrds(client: KubeClient): Promise<void> {
  const folder = join(packageRoot(), 'crds')
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
    const body = load(readFileSync(join(folder, file), 'utf8')) as JsonObject & { metadata: { name: string } }
    await client.request({
      method: 'PATCH',
      path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${body.metadata.name}`,
      contentType: 'application/apply-patch+yaml',
      query: { fieldManager: 'stateward-tests', force: true },
      body,
    })
  }
  // Served a moment after they are stored.
  const served = async () => {
    for (const { plural } of KINDS) await client.request({ path: `${API}/${plural}`, query: { limit: 1 } })
  }
  await vi.waitFor(served, WAIT)
}
