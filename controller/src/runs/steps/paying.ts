import { setTimeout as delay } from 'node:timers/promises'
import type { ActionTaskStep, AgentTaskStep } from '../../blueprints/compiled-plan.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { StatewardError } from '../../lib/errors.ts'
import type { JsonObject } from '../../lib/json.ts'
import { formatUsd } from '../../lib/usd.ts'
import type { Move } from '../move/move.ts'
import type { PaidThing } from '../ports.ts'
import type { Placed } from '../state/frame.ts'
import { stepError } from '../state/step-error.ts'
import type { StepContext } from './handler.ts'

/**
 * What costs something begins only when the money for it is kept. Until then the step runs and waits, with a condition
 * that says for which budget: that is a row, so a restart changes nothing. Who has more to give says so in the inbox.
 */

export const ASKING = 'WaitingForBudget'

/** Whether the step has been asking for money, and has none yet. */
export function isAsking(move: Move, step: Pick<Placed, 'path'>): boolean {
  return (move.run.steps.get(step.path)?.condition as { reason?: string } | null | undefined)?.reason === ASKING
}

/** Id of what is paid for: an attempt of a step. */
export function purchaseId(move: Move, step: Placed): string {
  return `${move.run.row.run_id}/${step.path}/${move.attemptOf(step)}`
}

/** What a run may cost in all, in nano-USD; null = its plan does not say. */
export function capOf(move: Move): bigint | null {
  const { maxNanoUsd } = move.run.plan.limits
  return maxNanoUsd === undefined ? null : BigInt(maxNanoUsd)
}

/** The agent on whose account a run spends, where a step has none of its own: whoever started it. */
export function agentOfRun(move: Move): string | null {
  const { actor, namespace } = move.run.row
  return actor.startsWith(`agent:${namespace}/`) ? actor.slice(`agent:${namespace}/`.length) : null
}

/**
 * Asks for the money, and does the rest when it is there. A budget that ends what it cannot pay for fails the step; any
 * other lets it wait.
 */
export function pay(
  move: Move,
  step: Placed<ActionTaskStep | AgentTaskStep>,
  price: { readonly amount: bigint; readonly agent: string | null; readonly tool: string | null },
  context: StepContext,
  then: (later: Move) => void,
): void {
  const thing = thingOf(move, step, price)
  if (!isAsking(move, step)) move.waitStep(step, asks(price.amount, move.now))
  move.call(step, 'money', async (signal) => {
    const answer = await answerTo(thing, context, signal)
    return (later) => {
      if (signal.aborted) {
        later.whenDurable.push(() => void context.purse.settle(thing.id, { kind: 'nothing' }))
        later.failStep(step, stepError(signal.reason, 'cancelled'))
      } else if ('error' in answer) later.failStep(step, stepError(answer.error, 'budget'))
      else if (!answer.granted) refuse(later, step, answer, price.amount)
      // Whoever takes the run over asks again, and finds what is kept for it.
      else if (!later.startsNothing) begin(later, step, then)
    }
  })
}

function begin(move: Move, step: Placed<ActionTaskStep | AgentTaskStep>, then: (later: Move) => void): void {
  const { condition } = move.run.steps.get(step.path)!
  const waited = (condition as { budget?: string } | null)?.budget !== undefined
  if (waited) move.unpauseStep(step)
  else move.waitStep(step, null)
  try {
    then(move)
  } catch (error) {
    move.failStep(step, stepError(error, 'validation'))
  }
}

function thingOf(
  move: Move,
  step: Placed,
  price: { readonly amount: bigint; readonly agent: string | null; readonly tool: string | null },
): PaidThing {
  const { run_id, name, namespace, blueprint, revision, actor, correlation_id } = move.run.row
  return {
    id: purchaseId(move, step),
    amount: price.amount,
    namespace,
    agent: price.agent,
    blueprint,
    run: { id: run_id, name, max: capOf(move) },
    step: step.path,
    attempt: move.attemptOf(step),
    tool: price.tool,
    provider: null,
    model: null,
    revision,
    actor,
    correlationId: correlation_id,
  }
}

/** Between two questions to a database that is away. */
const AGAIN_MS = 1000

async function answerTo(
  thing: PaidThing,
  context: StepContext,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<StepContext['purse']['reserve']>> | { readonly error: unknown }> {
  for (;;) {
    try {
      return await context.purse.reserve(thing)
    } catch (error) {
      const isAway = error instanceof StatewardError && error.ref === 'SW_DATABASE_UNREACHABLE'
      if (!isAway || signal.aborted) return { error }
      await delay(AGAIN_MS, undefined, { signal }).catch(() => undefined)
    }
  }
}

function refuse(
  move: Move,
  step: Placed<ActionTaskStep | AgentTaskStep>,
  { by, message }: Extract<Awaited<ReturnType<StepContext['purse']['reserve']>>, { granted: false }>,
  amount: bigint,
): void {
  const budget = by === null ? null : by.account.startsWith('Budget/') ? `${by.namespace}/${by.name}` : by.account
  if (by === null || by.action === 'Kill') {
    const error = fail('SW_OVER_BUDGET', `step ${step.path} cannot be paid: ${message}`, {
      details: { budget, wanted_usd: formatUsd(amount) },
      remedy:
        by?.scope_kind === 'Run'
          ? 'raise what the run may cost: budget_cents, or limits.maxUsd of its blueprint'
          : 'raise maxUsd of the budget by a commit, then start the run again',
    })
    move.failStep(step, stepError(error, 'budget'))
    return
  }
  const before = move.run.steps.get(step.path)?.condition as { budget?: string } | null | undefined
  move.waitStep(step, { reason: ASKING, message, since: move.now.toISOString(), budget, wanted_usd: formatUsd(amount) })
  if (before?.budget !== budget)
    move.tell.step('paused', step, { budget: budget ?? '', message, wanted_usd: formatUsd(amount) }, 'system:budgets')
}

function asks(amount: bigint, now: Date): JsonObject {
  const message = amount === 0n ? 'asks whether anything is left of its budgets' : `asks for ${formatUsd(amount)} USD`
  return { reason: ASKING, message, since: now.toISOString() }
}

/** Why a step waits that has no money. */
export function waitingForMoney(
  move: Move,
  step: Placed,
): { readonly reason: typeof ASKING; readonly message: string } {
  const condition = move.run.steps.get(step.path)?.condition as { message?: string } | null
  return { reason: ASKING, message: `step ${step.path}: ${condition?.message ?? 'waits for its budget'}` }
}
