import { setTimeout as delay } from 'node:timers/promises'
import { isConnectionLoss, isRetryable, mapConnectionLoss, sqlState } from '../database-errors.ts'
import { LOG_CHANNEL } from '../log-channel.ts'
import { lastOfBatch } from '../queries/events.ts'
import type { Store } from '../store.ts'
import { leaseLost } from '../writer.ts'
import { type CallResult, type CallRows, callBatch } from './statement.ts'

/** How long a batch is tried while the database does not answer. */
const PATIENCE_MS = 5_000

/**
 * Writes a batch of calls. False: something it was worked out of is not so any more, and nothing was written. A connection lost
 * around COMMIT is settled by looking into the log; a batch without events says false when it is there already.
 * SW_LEASE_LOST, SW_DATABASE_UNREACHABLE, or what the database says of the rows.
 */
export async function sendCalls(store: Store, rows: CallRows): Promise<boolean> {
  const { writer, engine, clock, log, partitions } = store
  const n = writer.nextBatch()
  const { statement, parameters } = callBatch(rows, { writer: writer.id, n, channel: LOG_CHANNEL })
  const until = clock.monotonicMs() + PATIENCE_MS
  const isThere = async (): Promise<boolean> =>
    rows.events.length > 0 && (await lastOfBatch(engine, writer.id, n)) !== null
  let unknown = false
  for (let attempt = 1; ; attempt++) {
    if (writer.isLost) throw leaseLost()
    try {
      if (unknown && (await isThere())) return true
      const [result] = await engine.unsafe<CallResult[]>(statement, [...parameters], { prepare: true })
      if (!result!.held) {
        writer.markLost()
        throw leaseLost()
      }
      if (result!.last_seq !== null) partitions.reached(result!.last_seq)
      // What it was worked out of may have been changed by the batch itself, when it was sent before.
      return result!.fresh || (unknown && (await isThere()))
    } catch (error) {
      // Its number is there already: the batch was committed after the connection was lost, and we looked too early.
      const isLoss: boolean = isConnectionLoss(error) || (unknown && sqlState(error) === '23505')
      if ((!isLoss && !isRetryable(error)) || clock.monotonicMs() > until) throw mapConnectionLoss(error)
      unknown ||= isLoss
      if (isLoss) log.warn({ attempt, n, err: error }, 'a batch of calls of models is sent again')
      await delay(isLoss ? Math.min(50 * 2 ** attempt, 1000) : 2 * attempt)
    }
  }
}
