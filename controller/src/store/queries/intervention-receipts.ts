import type { Executor } from '../database.ts'
import type { InterventionRow } from './interventions.ts'

/** An intervention as one instance of its agent has yet to hear or to answer it. */
export interface PendingIntervention extends InterventionRow {
  /** It was not told to this instance, or is to be told again. */
  readonly fresh: boolean
}

export interface Listener {
  readonly agent: { readonly uid: string } | { readonly namespace: string; readonly name: string }
  /** Null = somebody who looks in the agent's place: he hears all of it each time. */
  readonly instanceId: string | null
}

/** What an agent has not answered yet, in the order of issue: what is pending, and what is in force since before it began. */
export async function pendingInterventions(
  sql: Executor,
  { agent, instanceId }: Listener,
): Promise<PendingIntervention[]> {
  return sql<PendingIntervention[]>`
    SELECT i.*, r.delivered_at IS NULL AS fresh
    FROM interventions i
    LEFT JOIN intervention_receipts r ON r.intervention_id = i.intervention_id AND r.instance_id = ${instanceId}
    WHERE ${'uid' in agent ? sql`i.agent_uid = ${agent.uid}` : sql`i.namespace = ${agent.namespace} AND i.agent = ${agent.name}`}
      AND (i.in_force OR i.state IN ('pending', 'acknowledged')) AND (r.state IS NULL OR r.state = 'acknowledged')
      ${instanceId === null ? sql`AND i.state IN ('pending', 'acknowledged')` : sql``}
    ORDER BY i.issued_at, i.intervention_id LIMIT 100`
}

export async function markDelivered(
  tx: Executor,
  instanceId: string,
  interventionIds: readonly string[],
  at: Date,
): Promise<void> {
  await tx`
    INSERT INTO intervention_receipts (intervention_id, instance_id, delivered_at)
    SELECT id, ${instanceId}, ${at} FROM unnest(${[...interventionIds]}::uuid[]) AS told (id)
    ON CONFLICT (intervention_id, instance_id) DO UPDATE SET delivered_at = excluded.delivered_at`
}

export async function saveReceipt(
  tx: Executor,
  receipt: {
    readonly interventionId: string
    readonly instanceId: string
    readonly state: 'acknowledged' | 'applied' | 'rejected'
    readonly at: Date
  },
): Promise<void> {
  await tx`
    INSERT INTO intervention_receipts (intervention_id, instance_id, delivered_at, state, said_at)
    VALUES (${receipt.interventionId}, ${receipt.instanceId}, ${receipt.at}, ${receipt.state}, ${receipt.at})
    ON CONFLICT (intervention_id, instance_id) DO UPDATE
      SET state = excluded.state, said_at = excluded.said_at, delivered_at = coalesce(intervention_receipts.delivered_at, excluded.said_at)`
}

/** Living daemons of an agent that have not said that they applied it. */
export async function daemonsToHearFrom(sql: Executor, interventionId: string, agentUid: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    SELECT count(*)::integer AS count FROM instances i
    WHERE i.agent_uid = ${agentUid} AND i.mode = 'daemon' AND i.ended_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM intervention_receipts r
                      WHERE r.intervention_id = ${interventionId} AND r.instance_id = i.id AND r.state = 'applied')`
  return row!.count
}

/** What was told and not answered is told again. Returns how many interventions that concerns. */
export async function forgetDeliveries(tx: Executor): Promise<number> {
  const rows = await tx`
    UPDATE intervention_receipts r SET delivered_at = NULL FROM interventions i
    WHERE i.intervention_id = r.intervention_id AND i.state IN ('pending', 'acknowledged')
      AND r.delivered_at IS NOT NULL AND (r.state IS NULL OR r.state = 'acknowledged')
    RETURNING r.intervention_id`
  return new Set(rows.map((row) => String(row['intervention_id']))).size
}
