import type { JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'
import type { DecisionRow } from '../journal/rows.ts'

/** A version of a policy that was in force. It never changes. */
export interface PolicyVersionRow {
  readonly uid: string
  readonly version: number
  readonly namespace: string
  readonly name: string
  readonly digest: string
  readonly spec: JsonObject
  readonly revision: string
  readonly activated_at: Date
  readonly activated_by: string
}

/** Versions that are there already stay as they are. */
export async function insertPolicyVersions(tx: Executor, rows: readonly PolicyVersionRow[]): Promise<void> {
  for (const row of rows)
    await tx`INSERT INTO policy_versions ${tx({ ...row, spec: tx.json(row.spec) as never })} ON CONFLICT DO NOTHING`
}

export interface VersionPage {
  readonly namespace: string | null
  readonly name: string | null
  readonly after: { readonly activatedAt: Date; readonly uid: string; readonly version: number } | null
  readonly limit: number
}

/** The newest first. */
export async function pagePolicyVersions(sql: Executor, page: VersionPage): Promise<PolicyVersionRow[]> {
  const { namespace, name, after, limit } = page
  return sql<PolicyVersionRow[]>`
    SELECT uid, version, namespace, name, digest, spec, revision, activated_at, activated_by FROM policy_versions
    WHERE true
      ${namespace === null ? sql`` : sql`AND namespace = ${namespace}`}
      ${name === null ? sql`` : sql`AND name = ${name}`}
      ${after === null ? sql`` : sql`AND (activated_at, uid, version) < (${after.activatedAt}, ${after.uid}, ${after.version})`}
    ORDER BY activated_at DESC, uid DESC, version DESC LIMIT ${limit}`
}

export async function insertDecision(tx: Executor, row: DecisionRow): Promise<void> {
  const { opinions, inputs } = row
  const json = { opinions: tx.json(opinions) as never, inputs: inputs === null ? null : (tx.json(inputs) as never) }
  await tx`INSERT INTO policy_decisions ${tx({ ...row, ...json })}`
}

const DECISIONS_A_STATEMENT = 500

/**
 * Writes what policies said about changes, each once: the same question that the same rule of the same version answered in the
 * same way before is not written again. Answers with those that were new.
 */
export async function insertChangeDecisions(tx: Executor, rows: readonly DecisionRow[]): Promise<DecisionRow[]> {
  const fresh: DecisionRow[] = []
  for (let at = 0; at < rows.length; at += DECISIONS_A_STATEMENT) {
    const chunk = rows.slice(at, at + DECISIONS_A_STATEMENT)
    const known = await tx<Answer[]>`
      SELECT d.resource_type, d.namespace, d.resource_name, d.inputs_digest, d.policy, d.policy_version, d.rule, d.effect
      FROM policy_decisions d
      JOIN unnest(${chunk.map((row) => row.resource_type)}::text[], ${chunk.map((row) => row.namespace)}::text[],
                  ${chunk.map((row) => row.resource_name)}::text[], ${chunk.map((row) => row.inputs_digest)}::text[])
        AS q (resource_type, namespace, resource_name, inputs_digest)
        USING (resource_type, namespace, resource_name, inputs_digest)
      WHERE d.point = 'proposal'`
    const said = new Set(known.map(answerKey))
    const unsaid = chunk.filter((row) => row.point !== 'proposal' || !said.has(answerKey(row)))
    for (const row of unsaid) await insertDecision(tx, row)
    fresh.push(...unsaid)
  }
  return fresh
}

type Answer = Pick<
  DecisionRow,
  'resource_type' | 'namespace' | 'resource_name' | 'inputs_digest' | 'policy' | 'policy_version' | 'rule' | 'effect'
>

function answerKey(row: Answer): string {
  const { resource_type, namespace, resource_name, inputs_digest, policy, policy_version, rule, effect } = row
  return JSON.stringify([resource_type, namespace, resource_name, inputs_digest, policy, policy_version, rule, effect])
}

export interface DecisionFilter {
  readonly namespace: string | null
  /** `<namespace>/<name>` of the policy that decided. */
  readonly policy: string | null
  readonly effect: DecisionRow['effect'] | null
  readonly point: string | null
  readonly runId: string | null
  readonly since: Date | null
}

export interface DecisionPage extends DecisionFilter {
  readonly after: { readonly decidedAt: Date; readonly id: string } | null
  readonly limit: number
}

/** The newest first. */
export async function pageDecisions(sql: Executor, page: DecisionPage): Promise<DecisionRow[]> {
  const { namespace, policy, effect, point, runId, since, after, limit } = page
  return sql<DecisionRow[]>`
    SELECT decision_id, decided_at, point, action, subject, namespace, resource_type, resource_name, env_id, risk, effect,
           policy_uid, policy, policy_version, rule, reason, opinions, inputs_digest, inputs, run_id, step_id, proposal,
           correlation_id
    FROM policy_decisions WHERE true
      ${namespace === null ? sql`` : sql`AND namespace = ${namespace}`}
      ${policy === null ? sql`` : sql`AND policy = ${policy}`}
      ${effect === null ? sql`` : sql`AND effect = ${effect}`}
      ${point === null ? sql`` : sql`AND point = ${point}`}
      ${runId === null ? sql`` : sql`AND run_id = ${runId}`}
      ${since === null ? sql`` : sql`AND decided_at >= ${since}`}
      ${after === null ? sql`` : sql`AND (decided_at, decision_id) < (${after.decidedAt}, ${after.id})`}
    ORDER BY decided_at DESC, decision_id DESC LIMIT ${limit}`
}

/** What a policy (`<namespace>/<name>`) decided since a time. */
export async function decisionsOf(
  sql: Executor,
  policy: string,
  since: Date,
): Promise<{ readonly allowed: number; readonly denied: number; readonly asked: number }> {
  const [counts] = await sql<{ allowed: number; denied: number; asked: number }[]>`
    SELECT count(*) FILTER (WHERE effect = 'allow')::integer AS allowed,
           count(*) FILTER (WHERE effect = 'deny')::integer AS denied,
           count(*) FILTER (WHERE effect = 'require_approval')::integer AS asked
    FROM policy_decisions WHERE policy = ${policy} AND decided_at >= ${since}`
  return { ...counts! }
}
