import type { JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

interface Queryable {
  readonly view: string
  readonly id: string
  /** What may be asked by; every one is shown, too. */
  readonly fields: readonly string[]
}

/** What structured questions are about, and by which of its fields. */
export const QUERYABLE = {
  objects: {
    view: 'v_objects',
    id: 'uid',
    fields: ['uid', 'kind', 'namespace', 'name', 'generation', 'last_applied_revision'],
  },
  agents: { view: 'agents', id: 'agent_id', fields: ['agent_id', 'namespace', 'name', 'live_instances'] },
  runs: {
    view: 'v_runs',
    id: 'run_id',
    fields: [
      'run_id',
      'namespace',
      'name',
      'blueprint',
      'status',
      'trigger',
      'revision',
      'actor',
      'correlation_id',
      'priority',
    ],
  },
  jobs: {
    view: 'jobs',
    id: 'job_id',
    fields: ['job_id', 'kind', 'namespace', 'target', 'run_id', 'state', 'attempts'],
  },
  tasks: {
    view: 'tasks',
    id: 'task_id',
    fields: ['task_id', 'namespace', 'agent', 'run_id', 'status', 'attempt', 'correlation_id'],
  },
  work_items: {
    view: 'work_items',
    id: 'item_id',
    fields: [
      'item_id',
      'type',
      'namespace',
      'name',
      'title',
      'state',
      'phase',
      'project',
      'assignee',
      'priority',
      'created_by',
    ],
  },
  artifacts: {
    view: 'artifacts',
    id: 'artifact_id',
    fields: ['artifact_id', 'name', 'kind', 'content_type', 'run_id', 'created_by'],
  },
} as const satisfies Record<string, Queryable>
export type QueryableName = keyof typeof QUERYABLE

export interface StateQuery {
  readonly from: QueryableName
  /** Any of the values, of each of the fields; every field is one of its own. */
  readonly where: Readonly<Record<string, readonly (string | null)[]>>
  readonly since: Date | null
  readonly until: Date | null
}

/** Rows as they are shown, the newest first. */
export async function queryState(
  sql: Executor,
  query: StateQuery & {
    readonly after: { readonly createdAt: Date; readonly id: string } | null
    readonly limit: number
  },
): Promise<(JsonObject & { readonly created_at: Date })[]> {
  const { view, fields, id }: Queryable = QUERYABLE[query.from]
  return sql`
    SELECT ${fields.map((field) => sql`${sql(field)},`)} created_at FROM ${sql(view)} WHERE ${conditions(sql, query)}
      ${query.after === null ? sql`` : sql`AND (created_at, ${sql(id)}) < (${query.after.createdAt}, ${query.after.id}::uuid)`}
    ORDER BY created_at DESC, ${sql(id)} DESC LIMIT ${query.limit}`
}

/** How many rows there are of each value of a field, at most `limit` values, the most frequent first. */
export async function countState(
  sql: Executor,
  query: StateQuery & { readonly by: string; readonly limit: number },
): Promise<readonly { readonly value: string | null; readonly count: number }[]> {
  const { view }: Queryable = QUERYABLE[query.from]
  return sql<{ value: string | null; count: number }[]>`
    SELECT ${sql(query.by)}::text AS value, count(*)::integer AS count FROM ${sql(view)} WHERE ${conditions(sql, query)}
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${query.limit}`
}

/** Values are compared as text: whatever is asked, it is a question and no error. */
function conditions(sql: Executor, { where, since, until }: StateQuery) {
  const parts = Object.entries(where).map(([field, values]) => {
    const texts = values.filter((value) => value !== null)
    const some = sql`${sql(field)}::text = ANY (${texts}::text[])`
    return values.includes(null) ? sql`AND (${some} OR ${sql(field)} IS NULL)` : sql`AND ${some}`
  })
  const from = since === null ? sql`` : sql`AND created_at >= ${since}`
  const to = until === null ? sql`` : sql`AND created_at < ${until}`
  return sql`true ${parts.length === 0 ? sql`` : parts} ${from} ${to}`
}
