import type { Executor } from '../database.ts'
import type { BudgetScopeKind } from './budgets.ts'

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
  /** Path of the step. */
  readonly step: string | null
  readonly blueprint: string | null
  readonly tool: string | null
  /** The commit that what was run is pinned to. */
  readonly revision: string | null
  /** Said by who spent it, declared beforehand, or nobody knows: then what was reserved counts. */
  readonly usage: 'reported' | 'declared' | 'unknown'
  readonly reservation: string | null
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
  await tx`INSERT INTO ledger_entries ${tx({ ...row, amount: String(row.amount) })}`
}

export interface CostFilter {
  readonly namespace: string | null
  readonly project: string | null
  readonly agent: string | null
  readonly model: string | null
  readonly runId?: string | null
  readonly blueprint?: string | null
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
           amount::text AS amount, tokens, input_tokens, output_tokens, note, recorded_by, correlation_id,
           step, blueprint, tool, revision, usage, reservation
    FROM ledger_entries WHERE ${matches(sql, page)}
      ${page.after === null ? sql`` : sql`AND (occurred_at, cost_id) < (${page.after.occurredAt}, ${page.after.id})`}
    ORDER BY occurred_at DESC, cost_id DESC LIMIT ${page.limit}`
  return rows.map((row) => ({ ...row, amount: BigInt(row.amount) }))
}

export const COST_GROUPS = [
  'project',
  'agent',
  'run',
  'blueprint',
  'step',
  'tool',
  'provider',
  'model',
  'commit',
  'day',
  'task',
  'ticket',
  'usage',
  'namespace',
] as const
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
    FROM ledger_entries WHERE ${matches(sql, filter)}
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
    case 'run':
      return sql`run_id::text`
    case 'commit':
      return sql`revision`
    default:
      return sql`${sql(group)}`
  }
}

function matches(sql: Executor, filter: CostFilter) {
  const { namespace, project, agent, model, runId = null, blueprint = null, since, until } = filter
  return sql`true
    ${namespace === null ? sql`` : sql`AND namespace = ${namespace}`}
    ${project === null ? sql`` : sql`AND project = ${project}`}
    ${agent === null ? sql`` : sql`AND agent = ${agent}`}
    ${model === null ? sql`` : sql`AND model = ${model}`}
    ${runId === null ? sql`` : sql`AND run_id = ${runId}`}
    ${blueprint === null ? sql`` : sql`AND blueprint = ${blueprint}`}
    ${since === null ? sql`` : sql`AND occurred_at >= ${since}`}
    ${until === null ? sql`` : sql`AND occurred_at < ${until}`}`
}

/** What was spent of a scope in a time: what an account that is opened now has to count. Nano-USD. */
export async function sumOfScope(
  sql: Executor,
  scope: {
    readonly kind: BudgetScopeKind
    readonly namespace: string
    readonly name: string
    /** Of an agent: it and all below it. */
    readonly agents: readonly string[]
  },
  since: Date,
  until: Date | null = null,
): Promise<bigint> {
  const [row] = await sql<{ total: string }[]>`
    SELECT coalesce(sum(amount), 0)::text AS total FROM ledger_entries
    WHERE occurred_at >= ${since} ${until === null ? sql`` : sql`AND occurred_at < ${until}`} AND ${inScope(sql, scope)}`
  return BigInt(row!.total)
}

/** Tokens of models that the ledger counted of a scope in a time. */
export async function tokensOfScope(
  sql: Executor,
  scope: Parameters<typeof sumOfScope>[1],
  since: Date,
  until: Date,
): Promise<{ readonly input: number; readonly output: number }> {
  const [row] = await sql<{ input: number; output: number }[]>`
    SELECT coalesce(sum(input_tokens), 0)::float8 AS input, coalesce(sum(output_tokens), 0)::float8 AS output FROM ledger_entries
    WHERE occurred_at >= ${since} AND occurred_at < ${until} AND ${inScope(sql, scope)}`
  return row!
}

function inScope(
  sql: Executor,
  {
    kind,
    namespace,
    name,
    agents,
  }: {
    readonly kind: BudgetScopeKind
    readonly namespace: string
    readonly name: string
    readonly agents: readonly string[]
  },
) {
  switch (kind) {
    case 'Environment':
      return sql`namespace = ${name}`
    case 'Project':
      return sql`namespace = ${namespace} AND project = ${name}`
    case 'Agent':
      return sql`namespace = ${namespace} AND agent = ANY(${[...agents]}::text[])`
    case 'Blueprint':
      return sql`namespace = ${namespace} AND blueprint = ${name}`
    case 'ModelProvider':
      return sql`provider = ${name}`
    case 'Run':
      return sql`run_id = ${name}::uuid`
  }
}

/** What each version of a blueprint, or of an agent outside of runs, spent. */
export async function spentByRevision(
  sql: Executor,
  filter: CostFilter,
): Promise<
  {
    readonly kind: 'Blueprint' | 'Agent'
    readonly namespace: string
    readonly name: string
    readonly revision: string
    readonly actor: string | null
    readonly amount: bigint
    readonly runs: number
    readonly first: Date
  }[]
> {
  const rows = await sql<
    {
      kind: 'Blueprint' | 'Agent'
      namespace: string
      name: string
      revision: string
      actor: string | null
      amount: string
      runs: number
      first: Date
    }[]
  >`
    SELECT CASE WHEN blueprint IS NULL THEN 'Agent' ELSE 'Blueprint' END AS kind, namespace, coalesce(blueprint, agent) AS name, revision,
           (SELECT s.actor FROM syncs s WHERE s.to_revision = revision ORDER BY s.seq LIMIT 1) AS actor, sum(amount)::text AS amount,
           count(DISTINCT coalesce(run_id, task_id, cost_id))::integer AS runs, min(occurred_at) AS first
    FROM ledger_entries WHERE revision IS NOT NULL AND coalesce(blueprint, agent) IS NOT NULL AND ${matches(sql, filter)}
    GROUP BY 1, 2, 3, 4`
  return rows.map((row) => ({ ...row, amount: BigInt(row.amount) }))
}
