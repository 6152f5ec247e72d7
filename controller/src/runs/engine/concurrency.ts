import { countUnderWay, holdRuns, wakeHeldRun } from '../../store/queries/runs.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import type { LoadedRun } from '../state/load.ts'

/** A held run asks again after this, should nobody wake it when one of its kind ends. */
const ASK_AGAIN_MS = 2000

/**
 * Keeps a blueprint within `limits.concurrency`: of the runs just claimed, those that would begin beyond it are given
 * back. Every claimed run counts, here and in other processes, so the limit is never exceeded; two processes that claim
 * at the same moment may both give theirs back, and ask again.
 */
export async function admitWithinLimits(store: Store, loaded: readonly LoadedRun[]): Promise<readonly LoadedRun[]> {
  const limited = loaded.filter(
    ({ records }) => records.row.status === 'created' && records.plan.limits.concurrency !== null,
  )
  if (limited.length === 0) return loaded
  const uids = [...new Set(limited.map(({ records }) => records.row.blueprint_uid))]
  const underWay = await countUnderWay(
    store.engine,
    uids,
    limited.map(({ records }) => records.row.run_id),
  )
  const held = new Set<LoadedRun>()
  for (const run of limited) {
    const { row, plan } = run.records
    const count = underWay.get(row.blueprint_uid) ?? 0
    // A cancelled run may always end, and it begins nothing.
    if (count >= plan.limits.concurrency! && run.messages.length === 0) held.add(run)
    else underWay.set(row.blueprint_uid, count + 1)
  }
  if (held.size > 0) await hold(store, [...held])
  return loaded.filter((run) => !held.has(run))
}

async function hold(store: Store, runs: readonly LoadedRun[]): Promise<void> {
  const now = store.clock.now()
  const message = 'as many runs of this blueprint are under way as limits.concurrency allows'
  await transact(store, (tx) =>
    holdRuns(
      tx,
      store.writer.id,
      runs.map(({ records }) => records.row.run_id),
      { reason: 'QuotaExceeded', message, since: now.toISOString() },
      new Date(now.getTime() + ASK_AGAIN_MS),
    ),
  )
}

/** A run of that blueprint has ended: the next one may ask at once. */
export async function wakeNext(store: Store, blueprintUid: string): Promise<void> {
  await transact(store, (tx) => wakeHeldRun(tx, blueprintUid, store.clock.now()))
}
