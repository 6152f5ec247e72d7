import type { EventName, VerbOf } from '../events/catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { JsonObject } from '../lib/json.ts'
import { formatUsd } from '../lib/usd.ts'
import type { NewEvent } from '../store/ports.ts'
import type { CostRow } from '../store/queries/costs.ts'
import type { StoredAccount } from './rows.ts'

export const ACTOR = 'system:budgets'

/** `stateward.budget.<verb>`. */
export function budgetEvent(
  verb: VerbOf<'stateward.budget'>,
  account: StoredAccount,
  at: Date,
  data: JsonObject,
  by: { readonly actor: string; readonly correlationId: string; readonly runId?: string | null },
): NewEvent {
  const { row, max, used, reserved, window, action } = account
  return {
    event_id: uuidv7(at.getTime()),
    event_name: `stateward.budget.${verb}` satisfies EventName,
    occurred_at: at,
    env_id: row.namespace === '' ? 'default' : row.namespace,
    actor: by.actor,
    correlation_id: by.correlationId,
    run_id: by.runId ?? null,
    resource: { type: 'Budget', id: row.account.slice(row.account.indexOf('/') + 1) },
    data: {
      account: row.account,
      namespace: row.namespace,
      budget: row.name,
      scope: { kind: row.scope_kind, name: row.scope_name },
      action,
      max_usd: formatUsd(max),
      used_usd: formatUsd(used),
      reserved_usd: formatUsd(reserved),
      window_start: window.start.toISOString(),
      ...data,
    },
  }
}

/** `stateward.cost.recorded`: a row of the ledger. */
export function costEvent(row: CostRow, actor: string): NewEvent {
  const { cost_id, namespace, project, agent, provider, model, task_id, ticket, input_tokens, output_tokens } = row
  const { tool, step, usage } = row
  return {
    event_id: uuidv7(row.recorded_at.getTime()),
    event_name: 'stateward.cost.recorded' satisfies EventName,
    occurred_at: row.recorded_at,
    env_id: namespace,
    actor,
    correlation_id: row.correlation_id,
    run_id: row.run_id,
    resource: { type: 'Cost', id: cost_id },
    data: {
      ...{ cost_id, namespace, project, agent, provider, model, task_id, ticket, tool, step, usage },
      amount_usd: formatUsd(row.amount),
      input_tokens,
      output_tokens,
    },
  }
}
