import type { Executor } from '../database.ts'
import type { ProposalRow } from './proposals.ts'

/** The event of the change that an object stands on. */
export interface AppliedEvent {
  readonly seq: number
  readonly event_name: string
  readonly occurred_at: Date
  readonly actor: string
  readonly correlation_id: string
  readonly data: Readonly<Record<string, unknown>>
}

/** The last time a commit, or a spawn, made the object what it is; null when that is older than what is kept. */
export async function lastAppliedEvent(sql: Executor, kind: string, uid: string): Promise<AppliedEvent | null> {
  const [row] = await sql<AppliedEvent[]>`
    SELECT seq, event_name, occurred_at, actor, correlation_id, data FROM events
    WHERE resource_type = ${kind} AND resource_id = ${uid}
      AND event_name IN ('stateward.object.created', 'stateward.object.updated', 'stateward.object.deleting')
    ORDER BY seq DESC LIMIT 1`
  return row ?? null
}

/** What is applied of an object; null when it is gone. */
export async function appliedDigest(sql: Executor, uid: string): Promise<string | null> {
  const [row] = await sql<{ effective_digest: string }[]>`SELECT effective_digest FROM objects WHERE uid = ${uid}`
  return row?.effective_digest ?? null
}

export type LandedProposal = Pick<
  ProposalRow,
  'proposal_id' | 'branch' | 'state' | 'title' | 'author' | 'run_id' | 'landed' | 'closed_by' | 'closed_at' | 'forge'
>

/** The proposal that landed as a commit, or about which somebody said something; null when there was none. */
export async function proposalBehind(
  sql: Executor,
  revision: string,
  ids: readonly string[],
): Promise<LandedProposal | null> {
  const [row] = await sql<LandedProposal[]>`
    SELECT proposal_id, branch, state, title, author, run_id, landed, closed_by, closed_at, forge FROM proposals
    WHERE state = 'merged' AND (landed = ${revision} OR proposal_id = ANY(${[...ids]}::text[]))
    ORDER BY (landed = ${revision}) DESC, closed_at DESC LIMIT 1`
  return row ?? null
}

export interface ChangeDecisionRow {
  readonly decision_id: string
  readonly decided_at: Date
  readonly policy: string | null
  readonly policy_version: number | null
  readonly rule: string | null
  readonly effect: string
  readonly reason: string
  readonly subject: string
  readonly risk: string
}

/** What policies said about the change of an object to exactly this digest, the newest of each first. */
export async function decisionsAboutChange(
  sql: Executor,
  change: { readonly kind: string; readonly namespace: string; readonly name: string; readonly digest: string },
): Promise<ChangeDecisionRow[]> {
  return sql<ChangeDecisionRow[]>`
    SELECT decision_id, decided_at, policy, policy_version, rule, effect, reason, subject, risk FROM policy_decisions
    WHERE point = 'proposal' AND resource_type = ${change.kind.toLowerCase()} AND namespace = ${change.namespace}
      AND resource_name = ${change.name} AND inputs -> 'data' ->> 'to' = ${change.digest}
    ORDER BY decided_at DESC, decision_id DESC LIMIT 20`
}
