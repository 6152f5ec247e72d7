import { appendEvents } from '../store/log.ts'
import { type DaemonRow, daemonsToWatch, setHealth } from '../store/queries/agent-health.ts'
import { transact } from '../store/transact.ts'
import { heartbeatOf } from './agent-target.ts'
import { instanceEvent } from './events.ts'
import type { Fleet } from './fleet.ts'
import { healthOf } from './health.ts'

/**
 * Notes whose reports have been missing, on whatever host they run: each change once, with its event. What gets better is
 * noted by the report that makes it so. Writes nothing when there is none.
 */
export async function watchHealth(fleet: Fleet): Promise<void> {
  const { store } = fleet.context
  const now = store.clock.now()
  for (const row of await daemonsToWatch(store.engine)) {
    const target = fleet.targets.get(row.agent_uid)
    if (target === undefined) continue
    const lastSeenAt = (row.last_heartbeat_at ?? row.created_at).getTime()
    const health = healthOf(
      { registered: row.registered_at !== null, lastSeenAt, draining: false },
      heartbeatOf(target.spec),
      now.getTime(),
      fleet.observedSince,
    )
    if (health === row.health || health === 'healthy' || health === 'draining') continue
    await transact(store, async (tx) => {
      if (!(await setHealth(tx, row, health))) return
      await appendEvents(tx, store, [healthEvent(row, health, now)])
    })
    fleet.changed(row)
  }
}

/** From what to what the health of an instance changed. */
export function healthEvent(
  row: Pick<DaemonRow, 'id' | 'namespace' | 'agent' | 'ordinal' | 'health' | 'last_heartbeat_at'>,
  health: DaemonRow['health'],
  at: Date,
) {
  return instanceEvent('health_changed', { ...row, instanceId: row.id }, at, {
    ordinal: row.ordinal,
    from: row.health,
    to: health,
    last_heartbeat_at: row.last_heartbeat_at?.toISOString() ?? null,
  })
}
