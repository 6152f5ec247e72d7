import type { Executor } from '../database.ts'

/** Living processes of agents, by state. */
export async function countInstances(sql: Executor): Promise<Map<string, number>> {
  const rows = await sql<{ state: string; instances: number }[]>`
    SELECT state, count(*) AS instances FROM instances WHERE ended_at IS NULL GROUP BY state`
  return new Map(rows.map((row) => [row.state, row.instances]))
}
