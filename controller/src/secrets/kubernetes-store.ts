import { type ClusterConnection, connectCluster } from '../kube-client/connect.ts'
import { KubeError } from '../kube-client/kube-error.ts'
import { fail } from '../lib/error-catalogue.ts'
import { hasCode } from '../lib/error-code.ts'
import { errorMessage } from '../lib/errors.ts'
import type { SecretProvider } from './ports.ts'

export interface KubernetesStoreOptions extends ClusterConnection {
  readonly name: string
  readonly namespace: string
}

const NOT_FOUND = '404'

/**
 * Secrets of a Kubernetes namespace: data `<key>` of Secret `<name>`, the slashes of a path as dashes. Read at each use; written
 * where the account may: one key of a Secret, its others stay, and a Secret that is not there is made.
 */
export function kubernetesStore(options: KubernetesStoreOptions): SecretProvider {
  let client: ReturnType<typeof connect> | null = null
  const api = () => {
    client ??= connect(options).catch((error: unknown) => {
      client = null
      throw error
    })
    return client
  }
  return {
    name: options.name,
    async find({ name, key }) {
      const secret = name.replaceAll('/', '-')
      try {
        const { data } = await (await api()).core.readNamespacedSecret({ name: secret, namespace: options.namespace })
        const encoded = data?.[key]
        return encoded === undefined ? null : Buffer.from(encoded, 'base64').toString('utf8')
      } catch (error) {
        if (hasCode(error, NOT_FOUND)) return null
        throw unreadable(options, `Secret ${options.namespace}/${secret}`, error)
      }
    },
    async write({ name, key }, value) {
      const secret = name.replaceAll('/', '-')
      const { client } = await api()
      const path = `/api/v1/namespaces/${encodeURIComponent(options.namespace)}/secrets`
      const data = { [key]: Buffer.from(value).toString('base64') }
      const change = () =>
        client.request({
          method: 'PATCH',
          path: `${path}/${encodeURIComponent(secret)}`,
          body: { data },
          contentType: 'application/merge-patch+json',
        })
      try {
        await change().catch(async (error: unknown) => {
          if (!isStatus(error, 404)) throw error
          const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name: secret }, type: 'Opaque', data }
          await client.request({ method: 'POST', path, body }).catch((late: unknown) => {
            // Somebody made it meanwhile.
            if (isStatus(late, 409)) return change()
            throw late
          })
        })
      } catch (error) {
        throw unwritable(options, `Secret ${options.namespace}/${secret}`, error)
      }
    },
    async list() {
      try {
        const { items } = await (await api()).core.listNamespacedSecret({ namespace: options.namespace })
        return items
          .flatMap(({ metadata, data }) => Object.keys(data ?? {}).map((key) => `${metadata?.name ?? ''}/${key}`))
          .sort()
      } catch (error) {
        throw unreadable(options, `the Secrets of ${options.namespace}`, error)
      }
    },
  }
}

async function connect(connection: ClusterConnection) {
  const { CoreV1Api } = await import('@kubernetes/client-node')
  const client = await connectCluster(connection)
  return { client, core: client.api(CoreV1Api) }
}

const isStatus = (error: unknown, status: number): boolean => error instanceof KubeError && error.status === status

/** As with reading, only the status is told. An immutable Secret is refused as invalid. */
function unwritable({ name }: KubernetesStoreOptions, what: string, cause: unknown): Error {
  const status = cause instanceof KubeError ? cause.status : 0
  const why = status > 0 ? `the API server answered ${status}` : errorMessage(cause)
  return fail('SW_SECRET_READ_ONLY', `${name} cannot write ${what}: ${why}`, {
    remedy: 'let the account get, create and patch secrets of the namespace, or write it to another place',
  })
}

/** The answer of a server may hold what was asked for: only its status is told. */
function unreadable({ name }: KubernetesStoreOptions, what: string, cause: unknown): Error {
  const code = (cause as { readonly code?: unknown }).code
  const why = typeof code === 'number' ? `the API server answered ${code}` : errorMessage(cause)
  return fail('SW_SECRET_MISSING', `${name} cannot read ${what}: ${why}`, {
    remedy: 'check KUBECONFIG, the context and that the account may get secrets',
  })
}
