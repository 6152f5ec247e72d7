import type { JsonObject } from '../lib/json.ts'
import { type Listener, markDelivered, pendingInterventions } from '../store/queries/intervention-receipts.ts'
import type { InterventionRow } from '../store/queries/interventions.ts'
import type { Store } from '../store/store.ts'

/** An intervention as its agent gets it. */
function toldIntervention(row: InterventionRow): JsonObject {
  return {
    id: row.intervention_id,
    action: row.action,
    reason: row.reason,
    params: row.params,
    state: row.state,
    issued_by: row.issued_by,
    issued_at: row.issued_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
    correlation_id: row.correlation_id,
  }
}

/**
 * What an agent has not answered yet, in the order of issue, and how much of it is new to that instance. Told again with
 * every heartbeat, pickup, poll and stream until it is answered; a waiting pickup ends only for what is new.
 */
export async function tellAgent(
  store: Store,
  listener: Listener,
): Promise<{ readonly all: readonly JsonObject[]; readonly fresh: number }> {
  const pending = await pendingInterventions(store.engine, listener)
  const fresh = pending.filter((row) => row.fresh).map(({ intervention_id }) => intervention_id)
  // A note for ourselves that nothing depends on: lost, it is told once more.
  if (fresh.length > 0 && listener.instanceId !== null)
    await markDelivered(store.engine, listener.instanceId, fresh, store.clock.now())
  return { all: pending.map(toldIntervention), fresh: fresh.length }
}
