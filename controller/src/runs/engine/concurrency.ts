import { countUnderWay, countUnderWayIn, holdRuns, wakeHeldRun } from '../../store/queries/runs.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import type { LoadedRun } from '../state/load.ts'

/** A held run asks again after this, should nobody wake it when one of its kind ends. */
const ASK_AGAIN_MS = 2000

/** How many runs of a namespace may be under way at once; null = any number. */
export type RunQuota = (namespace: string) => number | null

/**
 * Keeps a blueprint within `limits.concurrency`, and a namespace within the quota of its environment: of the runs just
 * claimed, those that would begin beyond it are given back. Every claimed run counts, here and in other processes, so the
 * limit is never exceeded; two processes that claim at the same moment may both give theirs back, and ask again.
 */
export async function admitWithinLimits(
  store: Store,
  quota: RunQuota,
  loaded: readonly LoadedRun[],
): Promise<readonly LoadedRun[]> {
  const byBlueprint = await heldBack(store, loaded, {
    limitOf: ({ records }) => records.plan.limits.concurrency,
    keyOf: ({ records }) => records.row.blueprint_uid,
    count: (uids, except) => countUnderWay(store.engine, uids, except),
    message: 'as many runs of this blueprint are under way as limits.concurrency allows',
  })
  return heldBack(store, byBlueprint, {
    limitOf: ({ records }) => quota(records.row.namespace),
    keyOf: ({ records }) => records.row.namespace,
    count: (namespaces, except) => countUnderWayIn(store.engine, namespaces, except),
    message: 'as many runs of the namespace are under way as quota.runs of its Environment allows',
  })
}

interface Limit {
  readonly limitOf: (run: LoadedRun) => number | null
  readonly keyOf: (run: LoadedRun) => string
  readonly count: (keys: readonly string[], except: readonly string[]) => Promise<Map<string, number>>
  readonly message: string
}

/** Those of them that may begin; the others are held. */
async function heldBack(store: Store, loaded: readonly LoadedRun[], limit: Limit): Promise<readonly LoadedRun[]> {
  const limited = loaded.filter((run) => run.records.row.status === 'created' && limit.limitOf(run) !== null)
  if (limited.length === 0) return loaded
  const underWay = await limit.count(
    [...new Set(limited.map(limit.keyOf))],
    limited.map(({ records }) => records.row.run_id),
  )
  const held = new Set<LoadedRun>()
  for (const run of limited) {
    const key = limit.keyOf(run)
    const count = underWay.get(key) ?? 0
    // A cancelled run may always end, and it begins nothing.
    if (count >= limit.limitOf(run)! && run.messages.length === 0) held.add(run)
    else underWay.set(key, count + 1)
  }
  if (held.size > 0) await hold(store, [...held], limit.message)
  return loaded.filter((run) => !held.has(run))
}

async function hold(store: Store, runs: readonly LoadedRun[], message: string): Promise<void> {
  const now = store.clock.now()
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
