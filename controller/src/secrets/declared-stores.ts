import { type SecretRef, secretName, secretText } from '../kinds/secret-ref.ts'
import type { SecretStoreSpec } from '../kinds/secret-store/secret-store.schema.ts'
import type { ClusterConnection } from '../kube-client/connect.ts'
import { digestOf } from '../lib/digest.ts'
import { fail } from '../lib/error-catalogue.ts'
import { ownIdentity, readAgeFile, writeAgeFile } from './age-file-store.ts'
import { kubernetesStore } from './kubernetes-store.ts'
import type { DeclaredStore, SecretProvider } from './ports.ts'
import { sopsStore } from './sops-store.ts'

export interface StoreSurroundings {
  /** The environment and the data folder: what opens a store comes from there, never from another store. */
  readonly builtin: readonly SecretProvider[]
  /** The data folder. */
  readonly root: string
  readonly ageFile: string
  /** The cluster of stores that name no context of their own. */
  readonly cluster: ClusterConnection
  /** The encrypted file of a SOPS store, as it was accepted last. */
  readonly secretFile: (store: string) => Promise<{ readonly oid: string; readonly content: string } | null>
}

/** The stores that are declared, by their objects; one is made anew when its spec changed. */
export function declaredStores(around: StoreSurroundings) {
  const made = new Map<string, { readonly digest: string; readonly store: DeclaredStore }>()
  return (objects: readonly { readonly name: string; readonly spec: SecretStoreSpec }[]): readonly DeclaredStore[] => {
    const sorted = [...objects].filter(({ spec }) => spec.suspend !== true).sort((a, b) => (a.name < b.name ? -1 : 1))
    return sorted.map(({ name, spec }) => {
      const digest = digestOf(spec)
      const known = made.get(name)
      if (known?.digest === digest) return known.store
      const store = { name, paths: spec.paths ?? null, provider: providerOf(name, spec, around) }
      made.set(name, { digest, store })
      return store
    })
  }
}

function providerOf(name: string, spec: SecretStoreSpec, around: StoreSurroundings): SecretProvider {
  const provider = `SecretStore/${name}`
  if (spec.kubernetes !== undefined) {
    const { namespace, context } = spec.kubernetes
    return kubernetesStore({
      ...around.cluster,
      name: provider,
      namespace,
      ...(context === undefined ? {} : { context }),
    })
  }
  if (spec.sops !== undefined) {
    const ref = spec.sops.keyRef ?? { name: 'age', key: 'identity' }
    return sopsStore({
      name: provider,
      file: () => around.secretFile(name),
      identity: () => identityOf(ref, provider, around),
    })
  }
  const ref = spec.encryptedFile?.keyRef
  const secrets = async () => {
    const identity = ref === undefined ? await ownIdentity(around.root, false) : await identityOf(ref, provider, around)
    return identity === null ? new Map<string, string>() : await readAgeFile(around.ageFile, identity)
  }
  let writing: Promise<unknown> = Promise.resolve()
  const write = async (path: string, value: string) => {
    const identity = ref === undefined ? await ownIdentity(around.root, true) : await identityOf(ref, provider, around)
    await writeAgeFile(
      around.ageFile,
      identity!,
      new Map([...(await readAgeFile(around.ageFile, identity!)), [path, value]]),
    )
  }
  return {
    name: provider,
    find: async ({ name: wanted, key }) => (await secrets()).get(`${wanted}/${key}`) ?? null,
    list: async () => [...(await secrets()).keys()].sort(),
    // The file is written whole: one after the other.
    write({ name: wanted, key }, value) {
      const done = writing.then(() => write(`${wanted}/${key}`, value))
      writing = done.catch(() => undefined)
      return done
    },
  }
}

async function identityOf(ref: SecretRef, store: string, { builtin }: StoreSurroundings): Promise<string> {
  const wanted = secretName(ref)
  for (const provider of builtin) {
    const identity = await provider.find(wanted)
    if (identity !== null) return identity
  }
  throw fail('SW_SECRET_MISSING', `the age identity of ${store} is not there: ${secretText(wanted)}`, {
    remedy: `age-keygen makes one; write it to <data>/secrets/${secretText(wanted)} with mode 0600`,
  })
}
