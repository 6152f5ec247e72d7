import { fail } from '../../lib/error-catalogue.ts'
import type { Tx } from '../../store/database.ts'
import { appendEvents } from '../../store/log.ts'
import { leaveUndecided, refuseWaiting } from '../../store/queries/tool-calls.ts'
import { callError } from './call-error.ts'
import { endEvent } from './call-events.ts'
import type { ToolCallDeps } from './ports.ts'

/** What they were made for has ended: those that wait for an approval are refused, and of none is anything to be said any more. */
export async function leaveCalls(
  tx: Tx,
  { store, envId }: Pick<ToolCallDeps, 'store' | 'envId'>,
  ids: readonly string[],
): Promise<void> {
  const at = store.clock.now()
  await leaveUndecided(tx, ids, at)
  const error = callError(fail('SW_CANCELLED', 'what it was called for ended before it was approved'))
  const refused = await refuseWaiting(tx, ids, { error, at })
  if (refused.length > 0)
    await appendEvents(
      tx,
      store,
      refused.map((row) => endEvent(row, envId(row.namespace), at)),
    )
}
