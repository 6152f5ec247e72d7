import type { InstanceRow } from '../store/queries/instances.ts'
import type { TaskRow } from '../store/queries/tasks.ts'
import type { Ending, LiveInstance } from './decide-instances.ts'
import type { EndReason } from './end-reasons.ts'
import type { HostFleet } from './fleet.ts'
import type { ObservedInstance } from './observation.ts'

/** What the decision needs of living processes: their rows, and what this controller remembers of stopping them. */
export function liveOf(fleet: HostFleet, rows: readonly InstanceRow[], tasks: readonly TaskRow[]): LiveInstance[] {
  const working = new Set(tasks.map(({ instance_id }) => instance_id))
  return rows.map((row) => ({
    id: row.id,
    ordinal: row.ordinal,
    mode: row.mode,
    elsewhere: row.host !== fleet.context.localHost().name,
    launchDigest: row.launch_digest,
    createdAt: row.created_at.getTime(),
    lastHeartbeatAt: row.last_heartbeat_at?.getTime() ?? null,
    hasTasks: working.has(row.id),
    stopping: fleet.processes.get(row.id)?.stopping ?? null,
  }))
}

/** How a replica ended, from its last row. */
export function endingOfRow(row: InstanceRow): Ending {
  return {
    id: row.id,
    ordinal: row.ordinal,
    launchDigest: row.launch_digest,
    createdAt: row.created_at.getTime(),
    endedAt: row.ended_at!.getTime(),
    exitCode: row.exit_code,
    reason: row.end_reason as EndReason,
    restartCount: row.restart_count,
    crashCount: row.crash_count,
  }
}

/** What status shows of a living process. */
export function observedInstance(row: InstanceRow, currentTask: string | undefined): ObservedInstance {
  return {
    id: row.id,
    ordinal: row.ordinal,
    host: row.host,
    ...(row.pid === null ? {} : { pid: row.pid }),
    startedAt: row.created_at.toISOString(),
    ...(row.last_heartbeat_at === null ? {} : { lastHeartbeatTime: row.last_heartbeat_at.toISOString() }),
    restartCount: row.restart_count,
    ...(currentTask === undefined ? {} : { currentTask }),
    mode: row.mode,
    launchDigest: row.launch_digest,
    stopping: row.state === 'stopping',
    registered: row.registered_at !== null,
    lastSeenAt: (row.last_heartbeat_at ?? row.created_at).getTime(),
  }
}
