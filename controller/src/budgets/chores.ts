import { deleteEndedRunAccounts } from '../store/queries/budgets.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'

/** Closes accounts of runs that have ended; what was spent of them stays in the ledger. */
export function endedRunAccounts(store: Store): { readonly name: string; run(): Promise<number> } {
  return { name: 'accounts of runs', run: () => transact(store, (tx) => deleteEndedRunAccounts(tx)) }
}
