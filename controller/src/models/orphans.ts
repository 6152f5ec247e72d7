import { appendEvents } from '../store/log.ts'
import type { NewEvent } from '../store/ports.ts'
import {
  lockBegunModelCall,
  orphanedModelCalls,
  putModelCall,
  turnProviderWindow,
} from '../store/queries/model-calls.ts'
import { lockReservation } from '../store/queries/reservations.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { callEvent } from './call-record.ts'
import { reservationOf, settleCall } from './money.ts'
import type { Asker } from './request.ts'

const BATCH = 200

/**
 * Ends calls whose process is not there any more: nobody knows what they used, so what was kept for them is charged, and
 * marked. How many were ended.
 */
export async function endOrphans(store: Store): Promise<number> {
  let ended = 0
  for (const { call_id } of await orphanedModelCalls(store.engine, BATCH)) {
    await transact(store, async (tx) => {
      const row = await lockBegunModelCall(tx, call_id)
      if (row === null) return
      await turnProviderWindow(tx, row.provider)
      const now = store.clock.now()
      const asker: Asker = {
        namespace: row.namespace,
        actor: row.actor,
        correlationId: row.correlation_id,
        agent: row.agent,
        agentClass: null,
        run: null,
        blueprint: null,
        step: null,
        stepId: null,
        taskId: row.task_id,
        turn: row.turn,
        revision: null,
      }
      const kept = row.is_reserved ? await lockReservation(tx, reservationOf(row.call_id)) : null
      const lost = {
        ...row,
        cost: kept?.amount ?? 0n,
        state: 'failed' as const,
        cause: 'lost',
        problem: 'the process that asked went away; what was kept for the call counts',
        usage: row.is_reserved ? ('unknown' as const) : null,
        ended_at: now,
      }
      const purchase = { callId: call_id, asker, provider: row.provider, model: row.model_asked, amount: 0n }
      const put = (events: readonly NewEvent[]) =>
        Promise.all([putModelCall(tx, lost), appendEvents(tx, store, [...events, callEvent(lost, asker, null)])])
      if (row.is_reserved)
        await settleCall(tx, { ...purchase, isReserved: true, endedAt: now }, { kind: 'unknown' }, put)
      else await put([])
      ended += 1
    })
  }
  return ended
}
