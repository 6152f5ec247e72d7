import type { Agents } from '../agents/agents.ts'
import type { World } from '../reconcile/world.ts'
import type { Schedules } from '../runs/schedules.ts'
import { usedSlots } from '../store/queries/instances.ts'
import type { Store } from '../store/store.ts'
import { LOCAL_HOST } from './builtin-objects.ts'

/** What changes by itself and is therefore in no status write: pids, heartbeat times, slots in use. */
export async function liveStatus(
  {
    agents,
    schedules,
    store,
    world,
  }: { readonly agents: Agents; readonly schedules: Schedules; readonly store: Store; readonly world: World },
  kind: string,
  uids: readonly string[],
): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>> {
  const live = new Map<string, Readonly<Record<string, unknown>>>()
  if (kind === 'Agent') {
    for (const uid of uids) {
      const observation = await agents.observe(uid)
      if (observation !== null)
        live.set(uid, {
          instances: [...observation.instances, ...observation.commands],
          replicas: observation.replicas,
          readyReplicas: observation.readyReplicas,
        })
    }
  }
  if (kind === 'Blueprint') {
    for (const uid of uids) {
      const times = schedules.times(uid)
      if (times !== null)
        live.set(uid, {
          ...(times.next === null ? {} : { nextScheduleTime: times.next.toISOString() }),
          ...(times.last === null ? {} : { lastScheduleTime: times.last.toISOString() }),
        })
    }
  }
  if (kind === 'Host') {
    const host = world.get(`Host/${LOCAL_HOST}`)
    if (host !== undefined && uids.includes(host.uid))
      live.set(host.uid, { allocated: { agentSlots: await usedSlots(store.reader, LOCAL_HOST) } })
  }
  return live
}
