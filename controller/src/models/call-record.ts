import { costEvent } from '../budgets/events.ts'
import type { EventName } from '../events/catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import { formatUsd } from '../lib/usd.ts'
import { appendEvents } from '../store/log.ts'
import type { NewEvent } from '../store/ports.ts'
import { insertCost } from '../store/queries/costs.ts'
import {
  callsInWindow,
  lockProviderWindow,
  type ModelCallRow,
  putModelCall,
  sumInWindow,
  turnProviderWindow,
} from '../store/queries/model-calls.ts'
import { insertTurn, type ModelTurnRow } from '../store/queries/model-loops.ts'
import { recordTaskUsage } from '../store/queries/tasks-read.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { hasRoom, WINDOW_MS, waitFor } from './limits/window.ts'
import {
  dropMoney,
  freeCost,
  type Kept,
  keepMoney,
  outcomeOf,
  type Purchase,
  reserveRequestOf,
  type Spent,
  settleCall,
} from './money.ts'
import type { GatewayDeps } from './ports.ts'
import { type CallBatches, NOTHING_KEPT } from './record/call-batches.ts'
import type { ShortBegun } from './record/plan-batch.ts'
import type { Asker } from './request.ts'
import type { ProviderView } from './routing/view.ts'

/**
 * The durable record of a call. One that costs something or is limited has its row, and its money, before it begins: a process
 * that dies leaves a trace of what it may have spent. Any other is written when it ends. The end is one transaction: the row,
 * the ledger, the event. Both go the short way of a batch where they can; what stands here is the long one, which decides on everything.
 */

export type Begun =
  /** `short`: null = it began the long way. */
  | { readonly kind: 'go'; readonly isReserved: boolean; readonly short: ShortBegun | null }
  | { readonly kind: 'wait'; readonly ms: number }
  | Exclude<Kept, { readonly kind: 'granted' }>

export interface Beginner {
  readonly store: Store
  readonly batches: CallBatches
  readonly lineage: GatewayDeps['lineage']
}

export async function beginCall(
  { store, batches, lineage }: Beginner,
  provider: ProviderView,
  row: ModelCallRow,
  purchase: Purchase,
): Promise<Begun> {
  const { rateLimit } = provider.spec
  const { asker, amount } = purchase
  if (amount === 0n && rateLimit === undefined) return { kind: 'go', isReserved: false, short: NOTHING_KEPT }
  const short = await batches.begin({
    kind: 'begin',
    row,
    money:
      amount === 0n
        ? null
        : {
            request: reserveRequestOf(purchase),
            lineage: asker.agent === null ? NOBODY : lineage(asker.namespace, asker.agent),
          },
    limits: rateLimit ?? null,
  })
  if (short !== null) return { kind: 'go', isReserved: short.reservation !== null, short }
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
    if (amount === 0n) {
      await put(false)
      return { kind: 'go', isReserved: false, short: null }
    }
    const { kept, isReserved, events } = await keepMoney(tx, purchase, now, put)
    if (events.length > 0) await appendEvents(tx, store, events)
    return kept.kind === 'granted' ? { kind: 'go', isReserved, short: null } : kept
  })
}

const NOBODY = { project: null, agents: [] } as const

/** Whoever asked does not wait for the money any longer. */
export async function giveUpMoney(store: Store, callId: string): Promise<void> {
  await transact(store, async (tx) => {
    const events = await dropMoney(tx, callId, store.clock.now())
    if (events.length > 0) await appendEvents(tx, store, events)
  })
}

export interface CallEnd {
  readonly asker: Asker
  readonly providerUid: string | null
  readonly amount: bigint
  readonly spent: Spent
  /** What is recorded with it, in the same transaction. */
  readonly turn: ModelTurnRow | null
  readonly short: ShortBegun | null
}

/** Writes how a call ended. */
export async function endCall(store: Store, batches: CallBatches, row: ModelCallRow, of: CallEnd): Promise<void> {
  const { asker, amount, spent, turn, short } = of
  const at = row.ended_at ?? store.clock.now()
  const full = {
    ...{ callId: row.call_id, asker, provider: row.provider, model: row.model_answered ?? row.model_asked },
    ...{ amount, isReserved: row.is_reserved, endedAt: at },
  }
  const cost = freeCost(full, spent)
  const event = callEvent(row, asker, of.providerUid)
  const isSimple = row.is_reserved || cost !== null || spent.kind === 'nothing'
  if (short !== null && isSimple) {
    const events = cost === null ? [event] : [costEvent(cost, cost.recorded_by), event]
    const ending = { row, begun: short, outcome: outcomeOf(spent), cost, turn, events, at }
    if (await batches.end({ kind: 'end', ...ending })) return
  }
  await transact(store, async (tx) => {
    await Promise.all([
      turnProviderWindow(tx, row.provider),
      turn === null ? null : insertTurn(tx, turn),
      turn === null ? null : recordTaskUsage(tx, turn.task_id, { tokens: turn.tokens, costNanoUsd: Number(turn.cost) }),
    ])
    const write = (events: readonly NewEvent[]) =>
      Promise.all([putModelCall(tx, row), appendEvents(tx, store, [...events, event])])
    if (cost === null) await settleCall(tx, full, spent, write)
    else await Promise.all([insertCost(tx, cost), write([costEvent(cost, cost.recorded_by)])])
  })
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
