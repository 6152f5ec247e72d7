import { charge } from '../budgets/charge.ts'
import { type ReserveRequest, reserve } from '../budgets/reserve.ts'
import { type Outcome, settle } from '../budgets/settle.ts'
import { uuidv7 } from '../lib/ids.ts'
import { formatUsd } from '../lib/usd.ts'
import type { Tx } from '../store/database.ts'
import type { NewEvent } from '../store/ports.ts'
import type { CostRow } from '../store/queries/costs.ts'
import { lockReservationOfStep } from '../store/queries/reservations.ts'
import type { Asker, Usage } from './request.ts'

/**
 * Money of calls. It is kept before a call begins and settled after, in the transactions of the call's own record. A step that
 * may cost so much (`maxUsd`) has it kept already: what its calls cost comes out of that.
 */

export interface Purchase {
  readonly callId: string
  readonly asker: Asker
  readonly provider: string
  readonly model: string
  /** What it costs at most, in nano-USD. */
  readonly amount: bigint
}

export type Kept =
  | { readonly kind: 'granted' }
  /** The money of that very step or provider: others may be asked. */
  | { readonly kind: 'refused'; readonly message: string }
  /** What others share: nobody that costs something may be asked. `waits`: it may have more later. */
  | { readonly kind: 'exhausted'; readonly message: string; readonly waits: boolean; readonly retryAt: Date | null }

/** Under which accounts keep the money of a call. */
export const reservationOf = (callId: string): string => `model/${callId}`

/** What is asked of the accounts for a call. */
export function reserveRequestOf({ callId, asker, provider, model, amount }: Purchase): ReserveRequest {
  return {
    id: reservationOf(callId),
    amount,
    needsBudget: true,
    namespace: asker.namespace,
    agent: asker.agent,
    blueprint: asker.blueprint,
    run: asker.run === null ? null : { ...asker.run, max: null },
    step: null,
    attempt: null,
    tool: null,
    provider,
    model,
    revision: asker.revision,
    actor: asker.actor,
    correlationId: asker.correlationId,
  }
}

/** Keeps the money of a call that costs something; `put` is written with it, and only then. */
export async function keepMoney(
  tx: Tx,
  purchase: Purchase,
  now: Date,
  put: (isReserved: boolean) => Promise<void>,
): Promise<{ readonly kept: Kept; readonly isReserved: boolean; readonly events: readonly NewEvent[] }> {
  const { asker, amount } = purchase
  const ofStep = await stepMoney(tx, asker)
  if (ofStep !== null) {
    const left = ofStep.amount - ofStep.reported
    const kept: Kept =
      left >= amount
        ? { kind: 'granted' }
        : {
            kind: 'refused',
            message: `${formatUsd(left)} USD are left of the step, ${formatUsd(amount)} are needed`,
          }
    if (kept.kind === 'granted') await put(false)
    return { kept, isReserved: false, events: [] }
  }
  const { reservation, events } = await reserve(tx, reserveRequestOf(purchase), now, () => put(true))
  if (reservation.granted) return { kept: { kind: 'granted' }, isReserved: true, events }
  const { by, message, retryAt } = reservation
  const kept: Kept =
    by === null || by.scope_kind === 'ModelProvider'
      ? { kind: 'refused', message }
      : { kind: 'exhausted', message, waits: by.action !== 'Kill', retryAt }
  return { kept, isReserved: false, events }
}

/** It is asked no longer for what there was no money for. */
export async function dropMoney(tx: Tx, callId: string, now: Date): Promise<readonly NewEvent[]> {
  return settle(tx, reservationOf(callId), { kind: 'nothing' }, now)
}

export type Spent =
  | { readonly kind: 'usage'; readonly usage: Usage; readonly amount: bigint }
  /** It did not say: what was kept counts. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'nothing' }

/** The ledger's row of a call that cost nothing; its tokens count, and no account is asked. Null = it was no call at all. */
export function freeCost(
  purchase: Purchase & { readonly isReserved: boolean; readonly endedAt: Date },
  spent: Spent,
): CostRow | null {
  if (purchase.isReserved || spent.kind === 'nothing') return null
  const cost = spent.kind === 'usage' ? spent.amount : purchase.amount
  if (cost > 0n) return null
  const usage = spent.kind === 'usage' ? spent.usage : { inputTokens: 0, outputTokens: 0 }
  const { endedAt } = purchase
  return { ...freeEntry(purchase, usage), cost_id: uuidv7(endedAt.getTime()), recorded_at: endedAt }
}

/** What became of what was kept. */
export function outcomeOf(spent: Spent): Outcome {
  if (spent.kind !== 'usage') return { kind: spent.kind }
  const { inputTokens: input, outputTokens: output } = spent.usage
  return { kind: 'spent', amount: spent.amount, tokens: { input, output } }
}

/** Charges what a call came to that is not free; `also` is written last, with the events. */
export async function settleCall(
  tx: Tx,
  purchase: Purchase & { readonly isReserved: boolean; readonly endedAt: Date },
  spent: Spent,
  also: (events: readonly NewEvent[]) => Promise<unknown>,
): Promise<void> {
  const { amount, isReserved, endedAt } = purchase
  if (isReserved) {
    await settle(tx, reservationOf(purchase.callId), outcomeOf(spent), endedAt, also)
    return
  }
  if (spent.kind === 'nothing') {
    await also([])
    return
  }
  const cost = spent.kind === 'usage' ? spent.amount : amount
  const usage = spent.kind === 'usage' ? spent.usage : { inputTokens: 0, outputTokens: 0 }
  const report = { ...entryOf(purchase, usage), amount: cost }
  await charge(tx, report, endedAt, also)
}

/** What is kept for the step the call belongs to; null = nothing is. */
async function stepMoney(tx: Tx, { run, step }: Asker) {
  if (run === null || step === null) return null
  const found = await lockReservationOfStep(tx, { run_id: run.id, path: step })
  return found === null || found.amount === 0n ? null : found
}

function entryOf(
  { asker, provider, model, callId, endedAt }: Purchase & { readonly endedAt: Date },
  { inputTokens, outputTokens }: Usage,
) {
  return {
    namespace: asker.namespace,
    project: null,
    agent: asker.agent,
    provider,
    model,
    tool: null,
    task_id: asker.taskId,
    run_id: asker.run?.id ?? null,
    step: asker.step,
    ticket: null,
    tokens: inputTokens + outputTokens,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    note: `model call ${callId}`,
    recorded_by: 'system:models',
    correlation_id: asker.correlationId,
    occurred_at: endedAt,
  }
}

/** What is free is in the ledger too: its tokens count, and no account is asked. */
function freeEntry(purchase: Purchase & { readonly endedAt: Date }, usage: Usage) {
  const { blueprint, revision } = purchase.asker
  return {
    ...entryOf(purchase, usage),
    amount: 0n,
    blueprint: blueprint === '' ? null : blueprint,
    revision,
    usage: 'reported' as const,
    reservation: null,
  }
}
