import { costEvent } from '../budgets/events.ts'
import type { EventName } from '../events/catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import { formatUsd } from '../lib/usd.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import type { NewEvent } from '../store/ports.ts'
import { insertCost } from '../store/queries/costs.ts'
import {
  callsInWindow,
  lockProviderWindow,
  type ModelCallRow,
  putModelCall,
  sumInWindow,
} from '../store/queries/model-calls.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { hasRoom, WINDOW_MS, waitFor } from './limits/window.ts'
import { dropMoney, freeCost, type Kept, keepMoney, type Purchase, type Spent, settleCall } from './money.ts'
import type { Asker } from './request.ts'
import type { ProviderView } from './routing/view.ts'

/**
 * The durable record of a call. One that costs something or is limited has its row, and its money, before it begins: a process
 * that dies leaves a trace of what it may have spent. Any other is written when it ends. The end is one transaction: the row,
 * the ledger, the event.
 */

export type Begun =
  | { readonly kind: 'go'; readonly isReserved: boolean }
  | { readonly kind: 'wait'; readonly ms: number }
  | Exclude<Kept, { readonly kind: 'granted' }>

export async function beginCall(
  store: Store,
  provider: ProviderView,
  row: ModelCallRow,
  purchase: Purchase,
): Promise<Begun> {
  const { rateLimit } = provider.spec
  if (purchase.amount === 0n && rateLimit === undefined) return { kind: 'go', isReserved: false }
  return transact(store, async (tx): Promise<Begun> => {
    const now = store.clock.now()
    if (rateLimit !== undefined) {
      const since = new Date(now.getTime() - WINDOW_MS)
      const [, sums] = await Promise.all([lockProviderWindow(tx, provider.name), sumInWindow(tx, provider.name, since)])
      if (!hasRoom(rateLimit, sums, row.tokens_expected)) {
        const wait = waitFor(rateLimit, await callsInWindow(tx, provider.name, since), row.tokens_expected, now)
        if (wait > 0) return { kind: 'wait', ms: wait }
      }
    }
    const put = (isReserved: boolean) => putModelCall(tx, { ...row, started_at: now, is_reserved: isReserved })
    if (purchase.amount === 0n) {
      await put(false)
      return { kind: 'go', isReserved: false }
    }
    const { kept, isReserved, events } = await keepMoney(tx, purchase, now, put)
    if (events.length > 0) await appendEvents(tx, store, events)
    return kept.kind === 'granted' ? { kind: 'go', isReserved } : kept
  })
}

/** Whoever asked does not wait for the money any longer. */
export async function giveUpMoney(store: Store, callId: string): Promise<void> {
  await transact(store, async (tx) => {
    const events = await dropMoney(tx, callId, store.clock.now())
    if (events.length > 0) await appendEvents(tx, store, events)
  })
}

/** Writes how a call ended. */
export async function endCall(
  tx: Tx,
  store: Store,
  row: ModelCallRow,
  of: { readonly asker: Asker; readonly providerUid: string | null; readonly amount: bigint; readonly spent: Spent },
): Promise<void> {
  const { asker, amount, spent } = of
  const endedAt = row.ended_at ?? store.clock.now()
  const purchase: Purchase = {
    callId: row.call_id,
    asker,
    provider: row.provider,
    model: row.model_answered ?? row.model_asked,
    amount,
  }
  const full = { ...purchase, isReserved: row.is_reserved, endedAt }
  const free = freeCost(full, spent)
  if (free !== null) {
    // Sent together, done one after the other: one way to the database and back.
    const events = [costEvent(free, free.recorded_by), callEvent(row, asker, of.providerUid)]
    await Promise.all([insertCost(tx, free), putModelCall(tx, row), appendEvents(tx, store, events)])
    return
  }
  await settleCall(tx, full, spent, (events) =>
    Promise.all([putModelCall(tx, row), appendEvents(tx, store, [...events, callEvent(row, asker, of.providerUid)])]),
  )
}

export function callEvent(row: ModelCallRow, asker: Asker, providerUid: string | null): NewEvent {
  const at = row.ended_at ?? row.started_at
  const { call_id, provider, provider_type, model_asked, model_answered, input_tokens, output_tokens, usage } = row
  return {
    event_id: uuidv7(at.getTime()),
    event_name: `stateward.model.call.${row.state === 'failed' ? 'failed' : 'completed'}` satisfies EventName,
    occurred_at: at,
    env_id: row.namespace,
    actor: row.actor,
    correlation_id: row.correlation_id,
    run_id: row.run_id,
    step_id: asker.stepId,
    ...(providerUid === null ? {} : { resource: { type: 'ModelProvider', id: providerUid } }),
    data: {
      ...{ call_id, provider, provider_type, model_asked, model_answered, input_tokens, output_tokens, usage },
      class: row.class,
      cost_usd: formatUsd(row.cost),
      latency_ms: row.latency_ms,
      agent: row.agent,
      task_id: row.task_id,
      turn: row.turn,
      step: row.step,
      route: row.route,
      rule: row.rule,
      complexity: row.complexity,
      place: row.place,
      ...(row.state === 'failed' ? { cause: row.cause, problem: row.problem } : { finish_reason: row.finish_reason }),
    },
  }
}
