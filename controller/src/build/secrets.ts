import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import { secretVariable } from '../config/secrets.ts'
import type { SecretStoreSpec } from '../kinds/secret-store/secret-store.schema.ts'
import type { World } from '../reconcile/world.ts'
import type { EnvironmentOf } from '../runs/ports.ts'
import { auditOfSecrets, auditOfWrites } from '../secrets/audit.ts'
import { dataFolderStore, environmentStore } from '../secrets/data-folder-store.ts'
import { declaredStores } from '../secrets/declared-stores.ts'
import type { SecretGate, SecretProvider } from '../secrets/ports.ts'
import { createSecrets, type Secrets } from '../secrets/secrets.ts'
import { secretFile } from '../store/queries/secret-files.ts'
import type { Store } from '../store/store.ts'
import type { KnownSecrets } from '../telemetry/known-secrets.ts'
import type { DataFolder } from './data-folder.ts'

/** Where secrets are whatever the state repo says. */
function builtinProviders(config: Config, folder: DataFolder): readonly SecretProvider[] {
  return [environmentStore((name, key) => config.secrets[secretVariable(name, key)]), dataFolderStore(folder.secrets)]
}

/** The file `stateward secrets set` writes. */
export function ageFileOf(folder: DataFolder): string {
  return join(folder.root, 'secrets.age')
}

export function makeSecrets(parts: {
  readonly config: Config
  readonly folder: DataFolder
  readonly store: Store
  readonly world: World
  readonly environments: EnvironmentOf
  readonly known: KnownSecrets
  readonly gate: SecretGate
}): Secrets {
  const { config, folder, store, world, environments, known, gate } = parts
  const builtin = builtinProviders(config, folder)
  const stores = declaredStores({
    builtin,
    root: folder.root,
    ageFile: ageFileOf(folder),
    cluster: config.cluster,
    secretFile: (name) => secretFile(store.reader, name),
  })
  return createSecrets({
    builtin,
    declared: () =>
      stores(
        [...world.ofKind('SecretStore').values()]
          .filter(({ deleting }) => !deleting)
          .map((object) => ({ name: object.name, spec: world.effective(object) as unknown as SecretStoreSpec })),
      ),
    known,
    gate,
    written: auditOfWrites(store, (namespace) => environments(namespace).id),
    told: auditOfSecrets(store, (namespace) => environments(namespace).id),
  })
}
