import type { EventName } from '../events/catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import { formatUsd } from '../lib/usd.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import { type CostRow, insertCost } from '../store/queries/costs.ts'
import type { Store } from '../store/store.ts'

/** Adds a row to the ledger, with its event. */
export async function recordCost(
  tx: Tx,
  store: Store,
  said: Omit<CostRow, 'cost_id' | 'recorded_at' | 'recorded_by' | 'correlation_id'>,
  caller: { readonly actor: string; readonly correlationId: string },
): Promise<CostRow> {
  const now = store.clock.now()
  const row: CostRow = {
    ...said,
    cost_id: uuidv7(now.getTime()),
    recorded_at: now,
    recorded_by: caller.actor,
    correlation_id: caller.correlationId,
  }
  await insertCost(tx, row)
  const { cost_id, namespace, project, agent, provider, model, task_id, ticket, input_tokens, output_tokens } = row
  await appendEvents(tx, store, [
    {
      event_id: uuidv7(now.getTime()),
      event_name: 'stateward.cost.recorded' satisfies EventName,
      occurred_at: now,
      env_id: namespace,
      actor: caller.actor,
      correlation_id: caller.correlationId,
      run_id: row.run_id,
      resource: { type: 'Cost', id: cost_id },
      data: {
        cost_id,
        namespace,
        project,
        agent,
        provider,
        model,
        task_id,
        ticket,
        amount_usd: formatUsd(row.amount),
        input_tokens,
        output_tokens,
      },
    },
  ])
  return row
}
