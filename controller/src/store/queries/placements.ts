import type { JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

/** Where a replica of an agent runs. */
export interface PlacementRow {
  readonly agent_uid: string
  readonly ordinal: number
  readonly host: string
  /** What a daemon takes of the host whether it runs or not. */
  readonly slots: number
  /** Bytes. */
  readonly memory: number
}

export async function placementsOf(sql: Executor, agentUid: string): Promise<PlacementRow[]> {
  return sql<PlacementRow[]>`
    SELECT agent_uid, ordinal, host, slots, memory FROM placements WHERE agent_uid = ${agentUid} ORDER BY ordinal`
}

/** Where an agent runs, or is to run. */
export async function hostsOfAgent(sql: Executor, agentUid: string): Promise<string[]> {
  const rows = await sql<{ host: string }[]>`
    SELECT host FROM placements WHERE agent_uid = ${agentUid}
    UNION SELECT host FROM instances WHERE agent_uid = ${agentUid} AND ended_at IS NULL`
  return rows.map(({ host }) => host)
}

/** What agents take of each host, the one named left out. */
export async function committedByHost(
  sql: Executor,
  exceptAgent: string,
): Promise<{ readonly host: string; readonly slots: number; readonly memory: number; readonly replicas: number }[]> {
  return sql`
    SELECT p.host, sum(p.slots)::float8 AS slots, sum(p.memory)::float8 AS memory, count(*)::integer AS replicas
    FROM placements p JOIN placed_agents a USING (agent_uid)
    WHERE p.agent_uid <> ${exceptAgent}
      -- What is going away takes its place until it has ended.
      AND ((a.target ->> 'deleting')::boolean IS NOT TRUE
           OR EXISTS (SELECT FROM instances i WHERE i.agent_uid = p.agent_uid AND i.ordinal = p.ordinal AND i.ended_at IS NULL))
    GROUP BY p.host`
}

/** Slots of a host that replicas are to take that do not run yet. */
export async function reservedSlots(sql: Executor, host: string): Promise<number> {
  const [row] = await sql<{ slots: number }[]>`
    SELECT coalesce(sum(p.slots), 0)::integer AS slots FROM placements p JOIN placed_agents a USING (agent_uid)
    WHERE p.host = ${host} AND (a.target ->> 'deleting')::boolean IS NOT TRUE
      AND NOT EXISTS (SELECT FROM instances i WHERE i.agent_uid = p.agent_uid AND i.ordinal = p.ordinal AND i.ended_at IS NULL)`
  return row!.slots
}

/** The digest of how an agent was placed last; null = never. */
export async function placedDigest(sql: Executor, agentUid: string): Promise<string | null> {
  const [row] = await sql<{ digest: string }[]>`SELECT digest FROM placed_agents WHERE agent_uid = ${agentUid}`
  return row?.digest ?? null
}

export async function replacePlacements(
  tx: Executor,
  agent: { readonly uid: string; readonly digest: string; readonly target: JsonObject },
  rows: readonly PlacementRow[],
): Promise<void> {
  await tx`
    INSERT INTO placed_agents (agent_uid, digest, target) VALUES (${agent.uid}, ${agent.digest}, ${tx.json(agent.target)})
    ON CONFLICT (agent_uid) DO UPDATE SET digest = excluded.digest, target = excluded.target`
  await tx`DELETE FROM placements WHERE agent_uid = ${agent.uid}`
  if (rows.length > 0)
    await tx`
      INSERT INTO placements (agent_uid, ordinal, host, slots, memory)
      SELECT ${agent.uid}, * FROM unnest(${rows.map(({ ordinal }) => ordinal)}::integer[], ${rows.map(({ host }) => host)}::text[],
             ${rows.map(({ slots }) => slots)}::integer[], ${rows.map(({ memory }) => memory)}::bigint[])`
}

/** Whether a replica is a host's. */
export async function isPlacedOn(tx: Executor, agentUid: string, ordinal: number, host: string): Promise<boolean> {
  const rows = await tx`
    SELECT 1 FROM placements WHERE agent_uid = ${agentUid} AND ordinal = ${ordinal} AND host = ${host}`
  return rows.length === 1
}

/** The agent is gone from every host. */
export async function forgetPlacement(tx: Executor, agentUid: string): Promise<void> {
  await tx`DELETE FROM host_reports WHERE agent_uid = ${agentUid}`
  await tx`DELETE FROM placed_agents WHERE agent_uid = ${agentUid}`
}

/** Agents of which something is to run on a host, or still runs there: how they are wanted, and which replicas are the host's. */
export async function assignmentsOf(
  sql: Executor,
  host: string,
): Promise<
  {
    readonly agent_uid: string
    readonly target: JsonObject
    readonly ordinals: readonly number[]
    readonly elsewhere: readonly number[]
  }[]
> {
  return sql`
    SELECT a.agent_uid, a.target, ARRAY(
             SELECT p.ordinal FROM placements p WHERE p.agent_uid = a.agent_uid AND p.host = ${host} ORDER BY p.ordinal
           ) AS ordinals, ARRAY(
             SELECT i.ordinal FROM instances i
             WHERE i.agent_uid = a.agent_uid AND i.host <> ${host} AND i.ended_at IS NULL ORDER BY i.ordinal
           ) AS elsewhere
    FROM placed_agents a
    WHERE EXISTS (SELECT FROM placements p WHERE p.agent_uid = a.agent_uid AND p.host = ${host})
       OR EXISTS (SELECT FROM instances i WHERE i.agent_uid = a.agent_uid AND i.host = ${host} AND i.ended_at IS NULL)
    ORDER BY a.agent_uid`
}

/** Agents with a replica on a host, by its placement or by its processes. */
export async function agentsOnHost(
  sql: Executor,
  host: string,
): Promise<{ readonly namespace: string; readonly name: string }[]> {
  return sql`
    SELECT DISTINCT a.target ->> 'namespace' AS namespace, a.target ->> 'name' AS name
    FROM placed_agents a JOIN placements p USING (agent_uid) WHERE p.host = ${host}
    UNION SELECT namespace, agent FROM instances WHERE host = ${host} AND ended_at IS NULL`
}

/** Null ends a report: nothing keeps the agent from running there any more. */
export async function setHostReport(
  tx: Executor,
  host: string,
  agentUid: string,
  report: JsonObject | null,
): Promise<void> {
  if (report === null) await tx`DELETE FROM host_reports WHERE host = ${host} AND agent_uid = ${agentUid}`
  else
    await tx`
      INSERT INTO host_reports (host, agent_uid, report) VALUES (${host}, ${agentUid}, ${tx.json(report)})
      ON CONFLICT (host, agent_uid) DO UPDATE SET report = excluded.report`
}

export async function hostReportsOf(sql: Executor, agentUid: string): Promise<{ readonly report: JsonObject }[]> {
  return sql`
    SELECT r.report FROM host_reports r JOIN hosts h ON h.name = r.host
    WHERE r.agent_uid = ${agentUid} AND h.session IS NOT NULL ORDER BY r.host`
}
