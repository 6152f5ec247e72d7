import type { EventName } from '../events/catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { cleanJson } from '../store/journal/clean.ts'
import { appendEvents } from '../store/log.ts'
import { type Impression, insertImpression } from '../store/queries/impressions.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'

/** Records what somebody says of a run, a step, or an environment: row and event in one transaction. */
export async function recordImpression(
  store: Store,
  said: {
    readonly envId: string
    readonly runId: string | null
    readonly stepId: string | null
    readonly label: string
    readonly value: Json
    readonly basis: JsonObject
  },
  caller: { readonly actor: string; readonly correlationId: string },
): Promise<Impression> {
  const now = store.clock.now()
  const row: Impression = {
    impression_id: uuidv7(now.getTime()),
    recorded_at: now,
    env_id: said.envId,
    run_id: said.runId,
    step_id: said.stepId,
    label: said.label,
    value: cleanJson(said.value).value,
    basis_json: cleanJson(said.basis).value as JsonObject,
    recorded_by: caller.actor,
    correlation_id: caller.correlationId,
  }
  await transact(store, async (tx) => {
    await insertImpression(tx, row)
    await appendEvents(tx, store, [
      {
        event_id: uuidv7(now.getTime()),
        event_name: 'stateward.impression.recorded' satisfies EventName,
        occurred_at: now,
        env_id: row.env_id,
        actor: row.recorded_by,
        correlation_id: row.correlation_id,
        run_id: row.run_id,
        step_id: row.step_id,
        resource: { type: 'Impression', id: row.impression_id },
        data: { label: row.label, value: row.value, basis: row.basis_json },
      },
    ])
  })
  return row
}
