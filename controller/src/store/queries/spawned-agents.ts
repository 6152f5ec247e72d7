import type { Executor } from '../database.ts'

/** An agent that was spawned: who owns it, and when it ends. */
export interface SpawnedAgentRow {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly of_kind: 'AgentTemplate' | 'Agent'
  readonly of_name: string
  readonly owner: string
  readonly parent: string | null
  readonly lifetime: 'longLived' | 'ephemeral'
  readonly host: string
  readonly reason: string | null
  readonly task_id: string | null
  readonly budget_nano_usd: number | null
  readonly deadline: Date | null
  readonly created_at: Date
  readonly ended_at: Date | null
  readonly end_reason: string | null
}

export async function insertSpawnedAgent(
  tx: Executor,
  row: Omit<SpawnedAgentRow, 'ended_at' | 'end_reason'>,
): Promise<void> {
  await tx`INSERT INTO spawned_agents ${tx({ ...row })}`
}

/** False when it had ended. */
export async function endSpawnedAgent(tx: Executor, uid: string, at: Date, reason: string): Promise<boolean> {
  const result = await tx`
    UPDATE spawned_agents SET ended_at = ${at}, end_reason = ${reason} WHERE uid = ${uid} AND ended_at IS NULL`
  return result.count === 1
}

export async function spawnedAgent(sql: Executor, uid: string): Promise<SpawnedAgentRow | null> {
  const [row] = await sql<SpawnedAgentRow[]>`SELECT * FROM spawned_agents WHERE uid = ${uid}`
  return row ?? null
}

/** A spawned agent that has not ended, with the slots that its processes take. */
export async function slotsOfSpawned(
  sql: Executor,
): Promise<{ readonly uid: string; readonly host: string; readonly used: number }[]> {
  return sql<{ uid: string; host: string; used: number }[]>`
    SELECT s.uid, s.host,
           (SELECT coalesce(sum(i.slots), 0) FROM instances i WHERE i.agent_uid = s.uid AND i.ended_at IS NULL) AS used
    FROM spawned_agents s WHERE s.ended_at IS NULL`
}

/** Those whose end has come, and why: the first reason that holds. */
export async function spawnedToEnd(
  sql: Executor,
  now: Date,
): Promise<(SpawnedAgentRow & { readonly why: 'task_ended' | 'deadline' | 'budget_exceeded' | 'parent_gone' })[]> {
  return sql<(SpawnedAgentRow & { why: 'task_ended' | 'deadline' | 'budget_exceeded' | 'parent_gone' })[]>`
    SELECT * FROM (
      SELECT s.*, CASE
        WHEN s.budget_nano_usd IS NOT NULL AND s.budget_nano_usd <= greatest(
          (SELECT coalesce(sum(i.cost_nano_usd), 0) FROM instances i WHERE i.agent_uid = s.uid),
          -- What was reported on its behalf, and with its tasks.
          (SELECT coalesce(sum(l.amount), 0) FROM ledger_entries l WHERE l.namespace = s.namespace AND l.agent = s.name)) THEN 'budget_exceeded'
        WHEN EXISTS (SELECT FROM tasks t WHERE t.task_id = s.task_id AND t.status IN ('completed', 'failed', 'cancelled')) THEN 'task_ended'
        WHEN s.deadline <= ${now} THEN 'deadline'
        WHEN s.parent IS NOT NULL AND NOT EXISTS (
          SELECT FROM objects o WHERE o.kind = 'Agent' AND o.namespace = s.namespace AND o.name = s.parent AND o.deletion_timestamp IS NULL
        ) THEN 'parent_gone'
      END AS why
      FROM spawned_agents s WHERE s.ended_at IS NULL
    ) AS open WHERE why IS NOT NULL ORDER BY created_at LIMIT 100`
}

/** A page of spawned agents, the newest first. */
export async function pageSpawnedAgents(
  sql: Executor,
  page: {
    readonly namespace: string | null
    readonly parent: string | null
    readonly live: boolean | null
    readonly after: { readonly createdAt: Date; readonly uid: string } | null
    readonly limit: number
  },
): Promise<SpawnedAgentRow[]> {
  return sql<SpawnedAgentRow[]>`
    SELECT * FROM spawned_agents
    WHERE true
      ${page.namespace === null ? sql`` : sql`AND namespace = ${page.namespace}`}
      ${page.parent === null ? sql`` : sql`AND parent = ${page.parent}`}
      ${page.live === null ? sql`` : page.live ? sql`AND ended_at IS NULL` : sql`AND ended_at IS NOT NULL`}
      ${page.after === null ? sql`` : sql`AND (created_at, uid) < (${page.after.createdAt}, ${page.after.uid}::uuid)`}
    ORDER BY created_at DESC, uid DESC LIMIT ${page.limit}`
}
