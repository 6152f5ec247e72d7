import type { Executor } from '../database.ts'

/** For whom an agent works, and who stands above it. */
export interface AgentLineage {
  readonly project: string | null
  /** The agent itself and those above it, the nearest first. */
  readonly agents: readonly string[]
}

/** Nobody stands deeper than this; a circle of parents ends here as well. */
const MAX_DEPTH = 16

/** Of the declared and the spawned alike, as they were accepted last; what a template says counts where they say nothing. */
export async function lineageOf(sql: Executor, namespace: string, agent: string): Promise<AgentLineage> {
  const rows = await sql<{ name: string; project: string | null }[]>`
    WITH RECURSIVE up AS (
      SELECT ${agent}::text AS name, 1 AS depth
      UNION ALL
      SELECT coalesce(o.spec #>> '{parentRef,name}', t.spec #>> '{parentRef,name}'), up.depth + 1
      FROM up
      JOIN objects o ON o.kind = 'Agent' AND o.namespace = ${namespace} AND o.name = up.name
      LEFT JOIN objects t ON t.kind = 'AgentTemplate' AND t.namespace = ${namespace} AND t.name = o.spec #>> '{templateRef,name}'
      WHERE up.depth < ${MAX_DEPTH} AND coalesce(o.spec #>> '{parentRef,name}', t.spec #>> '{parentRef,name}') IS NOT NULL
    )
    SELECT up.name, coalesce(o.spec #>> '{projectRef,name}', t.spec #>> '{projectRef,name}') AS project
    FROM up
    LEFT JOIN objects o ON o.kind = 'Agent' AND o.namespace = ${namespace} AND o.name = up.name
    LEFT JOIN objects t ON t.kind = 'AgentTemplate' AND t.namespace = ${namespace} AND t.name = o.spec #>> '{templateRef,name}'
    ORDER BY up.depth`
  return {
    // A child without a project works for that of whoever it was spawned by.
    project: rows.find(({ project }) => project !== null)?.project ?? null,
    agents: [...new Set(rows.map(({ name }) => name))],
  }
}

/** An agent and all that stand below it, the spawned ones that have ended too. */
export async function descendantsOf(sql: Executor, namespace: string, agent: string): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    WITH RECURSIVE parents AS (
      SELECT o.name, coalesce(o.spec #>> '{parentRef,name}', t.spec #>> '{parentRef,name}') AS parent
      FROM objects o
      LEFT JOIN objects t ON t.kind = 'AgentTemplate' AND t.namespace = o.namespace AND t.name = o.spec #>> '{templateRef,name}'
      WHERE o.kind = 'Agent' AND o.namespace = ${namespace}
      UNION
      SELECT name, parent FROM spawned_agents WHERE namespace = ${namespace} AND parent IS NOT NULL
    ), down AS (
      SELECT ${agent}::text AS name, 1 AS depth
      UNION
      SELECT p.name, down.depth + 1 FROM down JOIN parents p ON p.parent = down.name WHERE down.depth < ${MAX_DEPTH}
    )
    SELECT DISTINCT name FROM down`
  return rows.map(({ name }) => name)
}

/** What a run follows, and the commit it is pinned to; of a plan that it brought along, no blueprint. */
export async function whatRuns(
  sql: Executor,
  runId: string,
): Promise<{ readonly blueprint: string | null; readonly revision: string } | null> {
  const [row] = await sql<{ blueprint: string | null; revision: string }[]>`
    SELECT nullif(blueprint, '') AS blueprint, revision FROM runs WHERE run_id = ${runId}`
  return row ?? null
}

/** The commit that made an agent as it is; null when there is none of that name. */
export async function revisionOfAgent(sql: Executor, namespace: string, agent: string): Promise<string | null> {
  const [row] = await sql<{ revision: string }[]>`
    SELECT last_applied_revision AS revision FROM objects WHERE kind = 'Agent' AND namespace = ${namespace} AND name = ${agent}`
  return row === undefined || row.revision === '' ? null : row.revision
}
