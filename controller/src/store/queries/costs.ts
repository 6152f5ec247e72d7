import type { Executor } from '../database.ts'

/** One row of the ledger. It is never changed. */
export interface CostRow {
  readonly cost_id: string
  /** When it was spent. */
  readonly occurred_at: Date
  readonly recorded_at: Date
  readonly namespace: string
  readonly project: string | null
  readonly agent: string | null
  readonly provider: string | null
  readonly model: string | null
  readonly task_id: string | null
  readonly run_id: string | null
  /** A name of the work graph. */
  readonly ticket: string | null
  /** Nano-USD. */
  readonly amount: bigint
  /** Of both kinds together. */
  readonly tokens: number
  readonly input_tokens: number
  readonly output_tokens: number
  readonly note: string | null
  readonly recorded_by: string
  readonly correlation_id: string
}

export async function insertCost(tx: Executor, row: CostRow): Promise<void> {
  const { tokens: _, ...columns } = row
  await tx`INSERT INTO costs ${tx({ ...columns, amount: String(row.amount) })}`
}

export interface CostFilter {
  readonly namespace: string | null
  readonly project: string | null
  readonly agent: string | null
  readonly model: string | null
  readonly since: Date | null
  readonly until: Date | null
}

export interface CostPage extends CostFilter {
  readonly after: { readonly occurredAt: Date; readonly id: string } | null
  readonly limit: number
}

/** The newest first. */
export async function pageCosts(sql: Executor, page: CostPage): Promise<CostRow[]> {
  const rows = await sql<(Omit<CostRow, 'amount'> & { readonly amount: string })[]>`
    SELECT cost_id, occurred_at, recorded_at, namespace, project, agent, provider, model, task_id, run_id, ticket,
           amount::text AS amount, tokens, input_tokens, output_tokens, note, recorded_by, correlation_id
    FROM ledger WHERE ${matches(sql, page)}
      ${page.after === null ? sql`` : sql`AND (occurred_at, cost_id) < (${page.after.occurredAt}, ${page.after.id})`}
    ORDER BY occurred_at DESC, cost_id DESC LIMIT ${page.limit}`
  return rows.map((row) => ({ ...row, amount: BigInt(row.amount) }))
}

export const COST_GROUPS = ['project', 'agent', 'provider', 'model', 'day', 'task', 'ticket', 'namespace'] as const
export type CostGroup = (typeof COST_GROUPS)[number]

export interface CostSum {
  /** Values of what it is grouped by, in that order; null where a row says nothing. */
  readonly group: readonly (string | null)[]
  readonly amount: bigint
  readonly tokens: number
  readonly input_tokens: number
  readonly output_tokens: number
  readonly count: number
}

/** Sums, the dearest first; of no group one sum over all. Days are UTC. */
export async function sumCosts(
  sql: Executor,
  filter: CostFilter,
  groups: readonly CostGroup[],
  limit: number,
): Promise<CostSum[]> {
  const columns = groups.map((group) => column(sql, group))
  const list = columns.reduce(
    (all, one) => (all === null ? one : sql`${all}, ${one}`),
    null as (typeof columns)[0] | null,
  )
  const rows = await sql<
    { group: (string | null)[]; amount: string; tokens: string; input: string; output: string; count: number }[]
  >`
    SELECT to_jsonb(${list === null ? sql`ARRAY[]::text[]` : sql`ARRAY[${list}]`}) AS group, coalesce(sum(amount), 0)::text AS amount,
           coalesce(sum(tokens), 0)::text AS tokens, coalesce(sum(input_tokens), 0)::text AS input, coalesce(sum(output_tokens), 0)::text AS output, count(*)::integer AS count
    FROM ledger WHERE ${matches(sql, filter)}
    ${list === null ? sql`` : sql`GROUP BY ${list}`}
    ORDER BY sum(amount) DESC NULLS LAST, 1 LIMIT ${limit}`
  return rows.map(({ group, amount, tokens, input, output, count }) => ({
    group,
    amount: BigInt(amount),
    tokens: Number(tokens),
    input_tokens: Number(input),
    output_tokens: Number(output),
    count,
  }))
}

function column(sql: Executor, group: CostGroup) {
  switch (group) {
    case 'day':
      return sql`to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')`
    case 'task':
      return sql`task_id::text`
    default:
      return sql`${sql(group)}`
  }
}

function matches(sql: Executor, { namespace, project, agent, model, since, until }: CostFilter) {
  return sql`true
    ${namespace === null ? sql`` : sql`AND namespace = ${namespace}`}
    ${project === null ? sql`` : sql`AND project = ${project}`}
    ${agent === null ? sql`` : sql`AND agent = ${agent}`}
    ${model === null ? sql`` : sql`AND model = ${model}`}
    ${since === null ? sql`` : sql`AND occurred_at >= ${since}`}
    ${until === null ? sql`` : sql`AND occurred_at < ${until}`}`
}
