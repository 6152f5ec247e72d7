import type { Executor } from '../database.ts'

export type InstanceMode = 'daemon' | 'perTask'
type InstanceState = 'starting' | 'running' | 'stopping' | 'ended'

/** A process of an agent. The row is there before the process and ends after it. */
export interface InstanceRow {
  readonly id: string
  readonly agent_uid: string
  readonly namespace: string
  readonly agent: string
  readonly ordinal: number
  readonly host: string
  readonly mode: InstanceMode
  readonly state: InstanceState
  readonly slots: number
  readonly launch_digest: string
  /** The process group's leader: null until it was started. */
  readonly pid: number | null
  readonly pid_start: string | null
  readonly boot_id: string | null
  /** Of an instance that is a pod, once that is known to be there. */
  readonly pod_uid: string | null
  readonly restart_count: number
  readonly crash_count: number
  readonly busy: boolean
  readonly created_at: Date
  readonly registered_at: Date | null
  readonly last_heartbeat_at: Date | null
  readonly ended_at: Date | null
  readonly exit_code: number | null
  readonly end_reason: string | null
  /** How its reports made it look last. */
  readonly health: 'starting' | 'healthy' | 'late' | 'silent'
}

export interface NewInstance {
  readonly id: string
  readonly agentUid: string
  readonly namespace: string
  readonly agent: string
  readonly ordinal: number
  readonly host: string
  readonly mode: InstanceMode
  readonly slots: number
  readonly launchDigest: string
  readonly tokenSha256: string
  readonly bootId: string
  readonly restartCount: number
  readonly crashCount: number
  readonly createdAt: Date
}

/**
 * Takes a replica's place and slots of the host, or says why not: `taken` when another process of that replica lives,
 * `full` when the host's capacity would be exceeded.
 */
export async function insertInstance(
  tx: Executor,
  row: NewInstance,
  capacity: number,
): Promise<'inserted' | 'taken' | 'full'> {
  if ((await usedSlots(tx, row.host)) + row.slots > capacity) return 'full'
  const result = await tx`
    INSERT INTO instances (id, agent_uid, namespace, agent, ordinal, host, mode, state, slots, launch_digest, boot_id,
                           token_sha256, restart_count, crash_count, created_at)
    VALUES (${row.id}, ${row.agentUid}, ${row.namespace}, ${row.agent}, ${row.ordinal}, ${row.host}, ${row.mode}, 'starting',
            ${row.slots}, ${row.launchDigest}, ${row.bootId}, ${row.tokenSha256}, ${row.restartCount}, ${row.crashCount},
            ${row.createdAt})
    ON CONFLICT (agent_uid, ordinal) WHERE ended_at IS NULL DO NOTHING`
  return result.count === 1 ? 'inserted' : 'taken'
}

/** Slots that live processes take of a host. */
export async function usedSlots(sql: Executor, host: string): Promise<number> {
  const [row] = await sql<{ used: number }[]>`
    SELECT coalesce(sum(slots), 0) AS used FROM instances WHERE host = ${host} AND ended_at IS NULL`
  return row!.used
}

/** What was spawned for the row. A command counts as running at once; a daemon when it registers. */
export async function setProcess(
  tx: Executor,
  id: string,
  process: { readonly pid: number; readonly start: string; readonly bootId: string },
): Promise<boolean> {
  const result = await tx`
    UPDATE instances SET pid = ${process.pid}, pid_start = ${process.start}, boot_id = ${process.bootId},
           state = CASE WHEN mode = 'perTask' AND state = 'starting' THEN 'running' ELSE state END
    WHERE id = ${id} AND ended_at IS NULL`
  return result.count === 1
}

/** What was created for the row of a pod. False when the row has ended, or knows it already. */
export async function setPod(tx: Executor, id: string, podUid: string): Promise<boolean> {
  const result = await tx`
    UPDATE instances SET pod_uid = ${podUid},
           state = CASE WHEN mode = 'perTask' AND state = 'starting' THEN 'running' ELSE state END
    WHERE id = ${id} AND ended_at IS NULL AND pod_uid IS NULL`
  return result.count === 1
}

/** From now on it gets no tasks. False when it had ended or was stopping already. */
export async function setStopping(tx: Executor, id: string): Promise<boolean> {
  const result = await tx`
    UPDATE instances SET state = 'stopping' WHERE id = ${id} AND state IN ('starting', 'running')`
  return result.count === 1
}

/** False when the row had ended before: whoever ended it has recorded everything else too. */
export async function endInstance(
  tx: Executor,
  id: string,
  end: { readonly endedAt: Date; readonly exitCode: number | null; readonly reason: string },
): Promise<boolean> {
  const result = await tx`
    UPDATE instances SET state = 'ended', ended_at = ${end.endedAt}, exit_code = ${end.exitCode}, end_reason = ${end.reason},
           busy = false
    WHERE id = ${id} AND ended_at IS NULL`
  return result.count === 1
}

/**
 * null when the instance has ended; else where it runs, and whether this is the first time: a daemon that registers again
 * (it lost the answer, or the server restarted) changes nothing but its heartbeat.
 */
export async function registerInstance(
  tx: Executor,
  id: string,
  at: Date,
): Promise<{
  readonly first: boolean
  readonly ordinal: number
  readonly host: string
  readonly pid: number | null
} | null> {
  const [row] = await tx<{ first: boolean; ordinal: number; host: string; pid: number | null }[]>`
    WITH before AS (SELECT id, registered_at FROM instances WHERE id = ${id} AND ended_at IS NULL FOR UPDATE)
    UPDATE instances i SET registered_at = coalesce(i.registered_at, ${at}), last_heartbeat_at = ${at},
           health = 'healthy',
           state = CASE WHEN i.state = 'starting' THEN 'running' ELSE i.state END
    FROM before WHERE i.id = before.id
    RETURNING before.registered_at IS NULL AS first, i.ordinal, i.host, i.pid`
  return row ?? null
}

/** The former token is worth nothing from now on. */
export async function replaceToken(tx: Executor, id: string, tokenSha256: string): Promise<void> {
  await tx`UPDATE instances SET token_sha256 = ${tokenSha256} WHERE id = ${id} AND ended_at IS NULL`
}

/** What an instance says of itself; usage since its start, so that a lost report costs nothing. */
export interface Heartbeat {
  readonly at: Date
  readonly busy: boolean
  readonly tokens: number
  readonly costNanoUsd: number
  readonly cpuPercent: number | null
  readonly memoryBytes: number | null
}

/** How it looked before the report; null when the instance has ended. */
export async function recordHeartbeat(
  tx: Executor,
  id: string,
  beat: Heartbeat,
): Promise<Pick<InstanceRow, 'health' | 'last_heartbeat_at'> | null> {
  const [before] = await tx<Pick<InstanceRow, 'health' | 'last_heartbeat_at'>[]>`
    WITH before AS (SELECT id, health, last_heartbeat_at FROM instances WHERE id = ${id} AND ended_at IS NULL FOR UPDATE)
    UPDATE instances i SET last_heartbeat_at = ${beat.at}, busy = ${beat.busy}, health = 'healthy',
           tokens = greatest(i.tokens, ${beat.tokens}), cost_nano_usd = greatest(i.cost_nano_usd, ${beat.costNanoUsd}),
           cpu_percent = coalesce(${beat.cpuPercent}, i.cpu_percent), memory_bytes = coalesce(${beat.memoryBytes}, i.memory_bytes)
    FROM before WHERE i.id = before.id
    RETURNING before.health, before.last_heartbeat_at`
  return before ?? null
}

export async function instanceById(sql: Executor, id: string): Promise<InstanceRow | null> {
  const [row] = await sql<InstanceRow[]>`SELECT ${columns(sql)} FROM instances WHERE id = ${id}`
  return row ?? null
}

/** The living instance a token belongs to. */
export async function instanceByToken(sql: Executor, tokenSha256: string): Promise<InstanceRow | null> {
  const [row] = await sql<InstanceRow[]>`
    SELECT ${columns(sql)} FROM instances WHERE token_sha256 = ${tokenSha256} AND ended_at IS NULL`
  return row ?? null
}

/** What lives on a host, oldest first. */
export async function liveInstancesOfHost(sql: Executor, host: string): Promise<InstanceRow[]> {
  return sql<InstanceRow[]>`
    SELECT ${columns(sql)} FROM instances WHERE host = ${host} AND ended_at IS NULL ORDER BY created_at, id`
}

export async function liveInstancesOfAgent(sql: Executor, agentUid: string): Promise<InstanceRow[]> {
  return sql<InstanceRow[]>`
    SELECT ${columns(sql)} FROM instances WHERE agent_uid = ${agentUid} AND ended_at IS NULL ORDER BY ordinal`
}

/** Agents of which something lives. */
export async function agentsThatLive(sql: Executor): Promise<ReadonlySet<string>> {
  const rows = await sql<{ agent_uid: string }[]>`SELECT DISTINCT agent_uid FROM instances WHERE ended_at IS NULL`
  return new Set(rows.map(({ agent_uid }) => agent_uid))
}

/** How each of the first `replicas` daemons ended the last time; none for a replica that never ran. */
export async function lastEndings(sql: Executor, agentUid: string, replicas: number): Promise<InstanceRow[]> {
  return sql<InstanceRow[]>`
    SELECT last.* FROM generate_series(0, ${replicas - 1}::integer) AS wanted (ordinal)
    CROSS JOIN LATERAL (
      SELECT ${columns(sql)} FROM instances
      WHERE agent_uid = ${agentUid} AND ordinal = wanted.ordinal AND ended_at IS NOT NULL AND mode = 'daemon'
      ORDER BY created_at DESC LIMIT 1
    ) AS last`
}

/** The process of an agent to look at first: one that lives, else the one started last. */
export async function lastInstanceOfAgent(
  sql: Executor,
  namespace: string,
  agent: string,
): Promise<InstanceRow | null> {
  const [row] = await sql<InstanceRow[]>`
    SELECT ${columns(sql)} FROM instances WHERE namespace = ${namespace} AND agent = ${agent}
    ORDER BY ended_at IS NOT NULL, created_at DESC LIMIT 1`
  return row ?? null
}

/** Those of `ids` that ended before a time, or that have no row at all: nobody needs their files any more. */
export async function endedBefore(sql: Executor, ids: readonly string[], before: Date): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    SELECT asked.id FROM unnest(${[...ids]}::uuid[]) AS asked (id) LEFT JOIN instances i ON i.id = asked.id
    WHERE i.id IS NULL OR i.ended_at < ${before}`
  return rows.map((row) => row.id)
}

function columns(sql: Executor) {
  return sql`id, agent_uid, namespace, agent, ordinal, host, mode, state, slots, launch_digest, pid, pid_start, boot_id,
             pod_uid, restart_count, crash_count, busy, created_at, registered_at, last_heartbeat_at, ended_at, exit_code, end_reason, health`
}

/** The newest instances that were started in this boot of this machine and given up as lost. */
export async function lostInstances(
  sql: Executor,
  bootId: string,
): Promise<{ readonly id: string; readonly pid: number; readonly pid_start: string }[]> {
  return sql<{ id: string; pid: number; pid_start: string }[]>`
    SELECT id, pid, pid_start FROM instances
    WHERE end_reason = 'lost' AND boot_id = ${bootId} AND pid IS NOT NULL AND pid_start IS NOT NULL
    ORDER BY ended_at DESC LIMIT 1000`
}
