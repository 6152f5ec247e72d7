import type { Json, JsonObject } from '../../lib/json.ts'
import { type ProposalState, proposalStatesBefore } from '../../lifecycle/proposal.ts'
import type { Executor } from '../database.ts'

export const CHECK_STATES = ['passed', 'failed', 'waiting'] as const

/** One thing that was looked at. `waiting`: nothing is wrong with it, and somebody has to say something first. */
export interface ProposalCheck {
  readonly name: string
  readonly state: (typeof CHECK_STATES)[number]
  readonly summary: string
  /** What is wrong, where, and what to do. */
  readonly problems: readonly ProposalProblem[]
}

export interface ProposalProblem {
  readonly code: string
  readonly message: string
  readonly hint: string
  readonly file: string | null
  readonly line: number | null
  readonly column: number | null
}

export const AUTHOR_KINDS = ['user', 'agent', 'system'] as const

export interface ProposalRow {
  readonly proposal_id: string
  /** Without `refs/heads/`. */
  readonly branch: string
  readonly state: ProposalState
  readonly title: string
  readonly description: string
  readonly author: string
  readonly author_kind: (typeof AUTHOR_KINDS)[number]
  /** Everybody who brought commits of it here, the author among them. */
  readonly contributors: readonly string[]
  readonly namespace: string
  readonly agent: string | null
  readonly run_id: string | null
  readonly correlation_id: string
  readonly labels: Readonly<Record<string, string>>
  readonly topic: string | null
  readonly base: string
  readonly head: string
  /** Head of the protected branch that the checks were made against; null = not checked yet. */
  readonly onto: string | null
  readonly check_error: string | null
  /** Paths from the root of the repository. */
  readonly files: readonly string[]
  readonly checks: readonly ProposalCheck[]
  /** The plan with its effects, as `stateward plan -o json` prints it; null when none could be made. */
  readonly plan: JsonObject | null
  readonly plan_digest: string | null
  readonly risk: 'low' | 'medium' | 'high' | null
  readonly forge: JsonObject | null
  readonly opened_at: Date
  readonly updated_at: Date
  readonly expires_at: Date | null
  readonly closed_at: Date | null
  readonly closed_by: string | null
  readonly reason: string | null
  readonly landed: string | null
  readonly superseded_by: string | null
}

/** Everything but what a list has no room for. */
export type ProposalSummary = Omit<ProposalRow, 'plan'>

export type NewProposal = Pick<
  ProposalRow,
  | 'proposal_id'
  | 'branch'
  | 'title'
  | 'description'
  | 'author'
  | 'author_kind'
  | 'namespace'
  | 'agent'
  | 'run_id'
  | 'correlation_id'
  | 'labels'
  | 'topic'
  | 'base'
  | 'head'
  | 'files'
  | 'opened_at'
  | 'expires_at'
>

/** False when the branch has an open one already. */
export async function insertProposal(tx: Executor, row: NewProposal): Promise<boolean> {
  const rows = await tx`
    INSERT INTO proposals ${tx({
      ...row,
      labels: tx.json({ ...row.labels }),
      files: tx.json([...row.files]),
      contributors: [row.author],
      state: 'open',
      updated_at: row.opened_at,
    })}
    ON CONFLICT (branch) WHERE state = 'open' DO NOTHING RETURNING 1`
  return rows.length > 0
}

export async function proposalById(sql: Executor, id: string): Promise<ProposalRow | null> {
  const [row] = await sql<ProposalRow[]>`SELECT * FROM proposals WHERE proposal_id = ${id}`
  return row ?? null
}

export async function openProposals(sql: Executor): Promise<ProposalSummary[]> {
  return sql<ProposalSummary[]>`
    SELECT ${summary(sql)} FROM proposals WHERE state = 'open' ORDER BY opened_at, proposal_id`
}

/** The newest of each of these branches, whatever became of it. */
export async function latestProposals(
  sql: Executor,
  branches: readonly string[],
): Promise<Pick<ProposalRow, 'branch' | 'head' | 'state'>[]> {
  return sql<Pick<ProposalRow, 'branch' | 'head' | 'state'>[]>`
    SELECT DISTINCT ON (branch) branch, head, state FROM proposals
    WHERE branch = ANY(${[...branches]}::text[]) ORDER BY branch, opened_at DESC, proposal_id DESC`
}

/** By whole id, by branch (of several the open one, else the newest), or by the beginning of an id. At most two. */
export async function proposalsByReference(sql: Executor, text: string): Promise<ProposalRow[]> {
  const [exact] = await sql<ProposalRow[]>`
    SELECT * FROM proposals WHERE proposal_id = ${text} OR branch = ${text} OR branch = ${`proposals/${text}`}
    ORDER BY proposal_id = ${text} DESC, state = 'open' DESC, opened_at DESC LIMIT 1`
  if (exact !== undefined) return [exact]
  if (text.length < 4) return []
  return sql<ProposalRow[]>`
    SELECT * FROM proposals WHERE starts_with(proposal_id, ${text})
    ORDER BY state = 'open' DESC, opened_at DESC LIMIT 2`
}

/** What a look at branch and protected branch came to. False when it is not open any more. */
export async function saveExamined(
  tx: Executor,
  id: string,
  found: Pick<
    ProposalRow,
    'base' | 'head' | 'onto' | 'check_error' | 'files' | 'checks' | 'plan' | 'plan_digest' | 'risk'
  > & {
    readonly at: Date
    readonly expires_at: Date | null
  },
): Promise<boolean> {
  const rows = await tx`
    UPDATE proposals SET ${tx({
      base: found.base,
      head: found.head,
      onto: found.onto,
      check_error: found.check_error,
      files: tx.json([...found.files]),
      checks: tx.json(found.checks as unknown as Json as never),
      plan: found.plan === null ? null : tx.json(found.plan),
      plan_digest: found.plan_digest,
      risk: found.risk,
      expires_at: found.expires_at,
      updated_at: found.at,
    })} WHERE proposal_id = ${id} AND state = 'open' RETURNING 1`
  return rows.length > 0
}

/** Somebody brought commits to the open proposal of a branch; its id, or null when there is none. */
export async function addContributor(tx: Executor, branch: string, who: string): Promise<string | null> {
  const [row] = await tx<{ proposal_id: string }[]>`
    UPDATE proposals SET contributors = CASE WHEN ${who} = ANY(contributors) THEN contributors ELSE contributors || ${who}::text END
    WHERE branch = ${branch} AND state = 'open' RETURNING proposal_id`
  return row?.proposal_id ?? null
}

export async function openOfBranch(sql: Executor, branch: string): Promise<ProposalSummary | null> {
  const [row] = await sql<ProposalSummary[]>`
    SELECT ${summary(sql)} FROM proposals WHERE state = 'open' AND branch = ${branch}`
  return row ?? null
}

/** Open ones that were checked, and closed ones whose pull request is open still. */
export async function proposalsForForge(sql: Executor): Promise<ProposalRow[]> {
  return sql<ProposalRow[]>`
    SELECT * FROM proposals
    WHERE (state = 'open' AND onto IS NOT NULL)
       OR (state IN ('rejected', 'expired', 'superseded') AND forge ->> 'closed' = 'false')
    ORDER BY opened_at, proposal_id`
}

export async function saveForge(tx: Executor, id: string, forge: JsonObject): Promise<void> {
  await tx`UPDATE proposals SET forge = ${tx.json(forge)} WHERE proposal_id = ${id}`
}

/** Null when its state does not allow it. */
export async function closeProposal(
  tx: Executor,
  id: string,
  to: Exclude<ProposalState, 'open'>,
  by: {
    readonly actor: string
    readonly at: Date
    readonly reason: string | null
    readonly landed: string | null
    readonly supersededBy: string | null
  },
): Promise<ProposalSummary | null> {
  const [row] = await tx<ProposalSummary[]>`
    UPDATE proposals SET state = ${to}, closed_at = ${by.at}, closed_by = ${by.actor}, reason = ${by.reason},
           landed = ${by.landed}, superseded_by = ${by.supersededBy}, updated_at = ${by.at}
    WHERE proposal_id = ${id} AND state = ANY(${proposalStatesBefore(to)}::text[]) RETURNING ${summary(tx)}`
  return row ?? null
}

/** Open ones of an author about the same as a newer one. */
export async function openOfTopic(
  sql: Executor,
  of: { readonly author: string; readonly topic: string; readonly except: string },
): Promise<ProposalSummary[]> {
  return sql<ProposalSummary[]>`
    SELECT ${summary(sql)} FROM proposals
    WHERE state = 'open' AND author = ${of.author} AND topic = ${of.topic} AND proposal_id <> ${of.except}
    ORDER BY opened_at`
}

export interface ProposalPage {
  readonly state: ProposalState | null
  readonly author: string | null
  readonly runId: string | null
  readonly after: { readonly openedAt: Date; readonly id: string } | null
  readonly limit: number
}

/** The newest first. */
export async function pageProposals(sql: Executor, page: ProposalPage): Promise<ProposalSummary[]> {
  return sql<ProposalSummary[]>`
    SELECT ${summary(sql)} FROM proposals WHERE true
      ${page.state === null ? sql`` : sql`AND state = ${page.state}`}
      ${page.author === null ? sql`` : sql`AND author = ${page.author}`}
      ${page.runId === null ? sql`` : sql`AND run_id = ${page.runId}`}
      ${page.after === null ? sql`` : sql`AND (opened_at, proposal_id) < (${page.after.openedAt}, ${page.after.id})`}
    ORDER BY opened_at DESC, proposal_id DESC LIMIT ${page.limit}`
}

/** By namespace and id; one of no namespace is shown in `default`. */
export async function pageProposalsByName(
  sql: Executor,
  page: {
    readonly namespace: string | null
    readonly name: string | null
    readonly after: { readonly namespace: string; readonly name: string } | null
    readonly limit: number
  },
): Promise<ProposalSummary[]> {
  const place = sql`coalesce(nullif(namespace, ''), 'default')`
  return sql<ProposalSummary[]>`
    SELECT ${summary(sql)} FROM proposals WHERE true
      ${page.namespace === null ? sql`` : sql`AND ${place} = ${page.namespace}`}
      ${page.name === null ? sql`` : sql`AND proposal_id = ${page.name}`}
      ${page.after === null ? sql`` : sql`AND (${place}, proposal_id) > (${page.after.namespace}, ${page.after.name})`}
    ORDER BY ${place}, proposal_id LIMIT ${page.limit}`
}

export async function proposalsById(sql: Executor, ids: readonly string[]): Promise<ProposalSummary[]> {
  return sql<ProposalSummary[]>`SELECT ${summary(sql)} FROM proposals WHERE proposal_id = ANY(${[...ids]})`
}

const COLUMNS = [
  ...['proposal_id', 'branch', 'state', 'title', 'description', 'author', 'author_kind'],
  ...['contributors', 'namespace', 'agent', 'run_id'],
  ...[
    'correlation_id',
    'labels',
    'topic',
    'base',
    'head',
    'onto',
    'check_error',
    'files',
    'checks',
    'plan_digest',
    'risk',
  ],
  ...['forge', 'opened_at', 'updated_at', 'expires_at', 'closed_at', 'closed_by', 'reason', 'landed', 'superseded_by'],
]

function summary(sql: Executor) {
  return sql(COLUMNS)
}
