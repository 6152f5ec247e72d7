import { errorMessage } from '../lib/errors.ts'
import { appendEvents } from '../store/log.ts'
import { type InterventionRow, recordProposal } from '../store/queries/interventions.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { editsOf } from './effect.ts'
import { CONTROLLER, interventionEvent } from './events.ts'
import type { InterventionTarget, ProposeEdits } from './ports.ts'

const AGAIN_MS = 60_000

/**
 * The commit that follows an intervention. It counts without it, so a commit that cannot be made is noted and tried again,
 * never thrown.
 */
export async function proposeIntervention(
  { store, propose }: { readonly store: Store; readonly propose: ProposeEdits },
  target: InterventionTarget,
  row: Pick<
    InterventionRow,
    | 'intervention_id'
    | 'namespace'
    | 'agent'
    | 'action'
    | 'params'
    | 'reason'
    | 'expires_at'
    | 'issued_by'
    | 'correlation_id'
    | 'merge'
  >,
): Promise<void> {
  const edits = editsOf(row.action, row.params, target.spec)
  let made: { readonly branch: string | null; readonly commit: string | null } = { branch: null, commit: null }
  let error: string | null = null
  if (edits.length > 0) {
    try {
      made = await propose(target, {
        verb: row.action,
        edits,
        interventionId: row.intervention_id,
        reason: row.reason,
        expiresAt: row.expires_at,
        actor: row.issued_by,
        correlationId: row.correlation_id,
        merge: row.merge,
      })
    } catch (thrown) {
      error = errorMessage(thrown)
      store.log.warn(
        { err: thrown, intervention: row.intervention_id, agent: row.agent },
        'an intervention counts, but its commit could not be made; it will be tried again',
      )
    }
  }
  const at = store.clock.now()
  await transact(store, async (tx) => {
    const again = error === null ? null : new Date(at.getTime() + AGAIN_MS)
    await recordProposal(tx, row.intervention_id, { ...made, error, again })
    if (made.commit !== null)
      await appendEvents(tx, store, [
        interventionEvent('proposed', row, at, CONTROLLER, {
          branch: made.branch,
          commit: made.commit,
          merged: row.merge,
        }),
      ])
  })
}
