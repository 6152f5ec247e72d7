import { type ClusterConnection, connectCluster } from '../kube-client/connect.ts'
import { fail } from '../lib/error-catalogue.ts'
import { hasCode } from '../lib/error-code.ts'
import { errorMessage } from '../lib/errors.ts'
import type { SecretProvider } from './ports.ts'

export interface KubernetesStoreOptions extends ClusterConnection {
  readonly name: string
  readonly namespace: string
}

const NOT_FOUND = '404'

/** Secrets of a Kubernetes namespace: data `<key>` of Secret `<name>`, the slashes of a path as dashes. Read at each use. */
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
        const { data } = await (await api()).readNamespacedSecret({ name: secret, namespace: options.namespace })
        const encoded = data?.[key]
        return encoded === undefined ? null : Buffer.from(encoded, 'base64').toString('utf8')
      } catch (error) {
        if (hasCode(error, NOT_FOUND)) return null
        throw unreadable(options, `Secret ${options.namespace}/${secret}`, error)
      }
    },
    async list() {
      try {
        const { items } = await (await api()).listNamespacedSecret({ namespace: options.namespace })
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
  return (await connectCluster(connection)).api(CoreV1Api)
}

/** The answer of a server may hold what was asked for: only its status is told. */
function unreadable({ name }: KubernetesStoreOptions, what: string, cause: unknown): Error {
  const code = (cause as { readonly code?: unknown }).code
  const why = typeof code === 'number' ? `the API server answered ${code}` : errorMessage(cause)
  return fail('SW_SECRET_MISSING', `${name} cannot read ${what}: ${why}`, {
    remedy: 'check KUBECONFIG, the context and that the account may get secrets',
  })
}
