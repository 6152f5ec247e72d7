import { stateOf } from '../breakers/declared-breakers.ts'
import { atTime } from '../budgets/account.ts'
import { accountOf } from '../budgets/rows.ts'
import { statusOf as budgetStatus } from '../reconcile/kinds/budget.ts'
import type { World } from '../reconcile/world.ts'
import { breakersOpenedBy } from '../store/queries/breakers.ts'
import { accountsNamed } from '../store/queries/budgets.ts'
import { listHosts } from '../store/queries/hosts.ts'
import { countOpenRunsOf } from '../store/queries/open-runs.ts'
import type { Store } from '../store/store.ts'
import { liveHostStatus } from './host-objects.ts'
import type { Parts } from './parts.ts'

/** What changes by itself and is therefore in no status write: pids, heartbeat times, slots in use. */
export async function liveStatus(
  { store, world, parts }: { readonly store: Store; readonly world: World; readonly parts: Parts },
  kind: string,
  uids: readonly string[],
): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>> {
  const live = new Map<string, Readonly<Record<string, unknown>>>()
  if (kind === 'Agent') {
    // All those of which nothing lives share one.
    const made = new Map<unknown, Readonly<Record<string, unknown>>>()
    for (const [uid, observation] of (await parts.agents?.observeAll(uids)) ?? []) {
      const { instances, commands, replicas, readyReplicas } = observation
      // How many are ready only their supervisor knows for sure; elsewhere what was stored counts.
      const counts = parts.leader === null ? {} : { replicas, readyReplicas }
      const status = made.get(observation) ?? { instances: [...instances, ...commands], ...counts }
      made.set(observation, status)
      live.set(uid, status)
    }
  }
  if (kind === 'Blueprint') {
    const open = await countOpenRunsOf(store.reader, uids)
    for (const uid of uids) {
      const times = parts.leader?.schedules.times(uid)
      live.set(uid, {
        activeRuns: open.get(uid) ?? 0,
        ...(times?.next == null ? {} : { nextScheduleTime: times.next.toISOString() }),
        ...(times?.last == null ? {} : { lastScheduleTime: times.last.toISOString() }),
      })
    }
  }
  if (kind === 'Budget') {
    const rows = await accountsNamed(
      store.reader,
      uids.map((uid) => `Budget/${uid}`),
    )
    for (const row of rows)
      live.set(row.account.slice('Budget/'.length), budgetStatus(atTime(accountOf(row), store.clock.now())))
  }
  if (kind === 'Breaker') {
    for (const { uid, namespace, name } of world.ofKind('Breaker').values())
      if (uids.includes(uid)) live.set(uid, stateOf(await breakersOpenedBy(store.reader, namespace, name)))
  }
  if (kind === 'Host') {
    const rows = new Map((await listHosts(store.reader)).map((row) => [row.name, row]))
    for (const { uid, name } of world.ofKind('Host').values())
      if (uids.includes(uid)) live.set(uid, await liveHostStatus(store, name, rows.get(name) ?? null))
  }
  return live
}
