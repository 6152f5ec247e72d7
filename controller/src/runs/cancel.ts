import type { EventName } from '../events/catalogue.ts'
import { fail } from '../lib/error-catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import type { NewEvent } from '../store/ports.ts'
import { insertInboxRow } from '../store/queries/inbox.ts'
import { getRun } from '../store/queries/runs.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import type { Caller, EnvironmentOf } from './ports.ts'

export interface CancelDeps {
  readonly store: Store
  readonly environmentOf: EnvironmentOf
  /** The run has a message: called after the commit. */
  readonly nudge: (runId: string) => void
}

/**
 * Asks a run to end: the message and the event are durable when this resolves; the run's owner then stops what runs and
 * skips the rest. Cancelling a cancelled run is no error. SW_NOT_FOUND: no such run. SW_CONFLICT: it has ended otherwise.
 */
export async function cancelRun(
  deps: CancelDeps,
  request: { readonly runId: string; readonly reason: string | null },
  caller: Caller,
): Promise<void> {
  const { store } = deps
  const asked = await transact(store, async (tx) => {
    const event = await requestCancel(tx, deps, request, caller)
    if (event === null) return false
    await appendEvents(tx, store, [event])
    return true
  })
  if (asked) deps.nudge(request.runId)
}

/** The same as a part of a transaction: the caller appends the event, last, and nudges afterwards. Null: it is cancelled. */
export async function requestCancel(
  tx: Tx,
  deps: Pick<CancelDeps, 'store' | 'environmentOf'>,
  request: { readonly runId: string; readonly reason: string | null },
  caller: Caller,
): Promise<NewEvent | null> {
  const run = await getRun(tx, request.runId)
  if (run === null) throw fail('SW_NOT_FOUND', `there is no run ${request.runId}`)
  if (run.status === 'cancelled') return null
  const now = deps.store.clock.now()
  const isOpen = await insertInboxRow(tx, {
    id: uuidv7(now.getTime()),
    run_id: run.run_id,
    kind: 'cancel',
    path: null,
    payload: { reason: request.reason },
    actor: caller.actor,
    created_at: now,
  })
  // Thrown inside, so that the message is not left behind.
  if (!isOpen)
    throw fail('SW_CONFLICT', `run ${run.name} has ended: it is ${run.status}`, { details: { status: run.status } })
  return {
    event_id: uuidv7(now.getTime()),
    event_name: 'stateward.run.cancel.requested' satisfies EventName,
    occurred_at: now,
    env_id: deps.environmentOf(run.namespace).id,
    actor: caller.actor,
    correlation_id: run.correlation_id,
    run_id: run.run_id,
    resource: { type: 'Run', id: run.run_id },
    data: { run: run.name, reason: request.reason, request_correlation_id: caller.correlationId },
  }
}
