import { deleteOldModelCalls } from '../store/queries/model-calls.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { endOrphans } from './orphans.ts'

const BATCH = 1000

interface Chore {
  readonly name: string
  run(): Promise<number>
}

/** Forgets calls that are older than footprints are kept; the ledger keeps what they cost. */
export function oldModelCalls(store: Store, keepMs: number): Chore {
  return {
    name: 'old calls of models',
    run: () => transact(store, (tx) => deleteOldModelCalls(tx, new Date(store.clock.now().getTime() - keepMs), BATCH)),
  }
}

/** Ends calls whose process went away. */
export function lostModelCalls(store: Store): Chore {
  return { name: 'calls of models that nobody ends', run: () => endOrphans(store) }
}
