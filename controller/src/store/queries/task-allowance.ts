import type { Executor } from '../database.ts'

/** Tasks of one agent are counted and handed out one after the other while it is constrained. */
export async function lockTasksOf(tx: Executor, agent: { readonly namespace: string; readonly name: string }) {
  await tx`SELECT pg_advisory_xact_lock(hashtextextended(${`tasks ${agent.namespace}/${agent.name}`}, 0))`
}

/** What an agent has at this moment, and what it was given since. */
export async function tasksHandedOut(
  sql: Executor,
  agent: { readonly namespace: string; readonly name: string },
  since: Date,
): Promise<{ readonly leased: number; readonly recent: number }> {
  const [row] = await sql<{ leased: number; recent: number }[]>`
    SELECT (SELECT count(*)::integer FROM instances i JOIN tasks t ON t.instance_id = i.id AND t.status = 'leased'
            WHERE i.namespace = ${agent.namespace} AND i.agent = ${agent.name} AND i.ended_at IS NULL) AS leased,
           (SELECT count(*)::integer FROM tasks
            WHERE namespace = ${agent.namespace} AND agent = ${agent.name} AND leased_at > ${since}) AS recent`
  return row!
}

/** Hands the waiting tasks of one agent to another. Returns their ids, the oldest first. */
export async function redirectTasks(
  tx: Executor,
  from: { readonly namespace: string; readonly name: string },
  to: string,
): Promise<{ readonly task_id: string; readonly run_id: string | null; readonly correlation_id: string }[]> {
  return tx<{ task_id: string; run_id: string | null; correlation_id: string }[]>`
    UPDATE tasks SET agent = ${to}
    WHERE task_id IN (
      SELECT task_id FROM tasks WHERE namespace = ${from.namespace} AND agent = ${from.name} AND status = 'queued'
      ORDER BY created_at, task_id FOR UPDATE SKIP LOCKED)
    RETURNING task_id, run_id, correlation_id`
}
