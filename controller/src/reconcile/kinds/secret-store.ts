import type { SecretStoreSpec } from '../../kinds/secret-store/secret-store.schema.ts'
import type { Outcome } from '../runtime/outcome.ts'
import type { KindReconciler, Phase } from '../runtime/reconciler.ts'
import type { WorldObject } from '../world.ts'

/** Looked at again after this time: what a store holds changes without a commit. */
const AGAIN_MS = 5 * 60_000
const RETRY_MS = 30_000

export interface SecretStoreReconcilerDeps {
  /** Keeps the encrypted file where every process finds it; its object id. Null = it is not in the state repo. */
  readonly keepFile: (object: WorldObject, path: string) => Promise<string | null>
  readonly dropFile: (store: string) => Promise<void>
  /** How many secrets the store holds, null = it cannot tell; or why it cannot be used. */
  readonly look: (store: string) => Promise<{ readonly secrets: number | null } | { readonly problem: string }>
}

/** Reads the encrypted file of the revision that is in force, and sees whether the store opens. Never a value. */
export function secretStoreReconciler(deps: SecretStoreReconcilerDeps): KindReconciler {
  const read: Phase = async ({ object, spec, fields }) => {
    const { sops } = spec as unknown as SecretStoreSpec
    if (sops === undefined) {
      await deps.dropFile(object.name)
      return null
    }
    const oid = await deps.keepFile(object, sops.path)
    if (oid === null) return { kind: 'stalled', reason: 'ReferenceNotFound', message: `${sops.path} is not there` }
    fields['file'] = oid
    return null
  }
  const look: Phase = async ({ object, fields, suspended }): Promise<Outcome> => {
    if (suspended) return { kind: 'done', again: AGAIN_MS }
    const found = await deps.look(object.name)
    if ('problem' in found) return { kind: 'waiting', reason: 'SecretMissing', message: found.problem, after: RETRY_MS }
    if (found.secrets !== null) fields['secrets'] = found.secrets
    return { kind: 'done', again: AGAIN_MS }
  }
  return {
    kind: 'SecretStore',
    phases: [read, look],
    finalize: async ({ object }) => {
      await deps.dropFile(object.name)
      return { kind: 'done' }
    },
  }
}
