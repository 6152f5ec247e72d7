import type { CompiledPlan } from '../../blueprints/compiled-plan.ts'
import type { Json } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

/** Stores a plan under its digest; the same digest again changes nothing. */
export async function insertPlan(tx: Executor, digest: string, plan: CompiledPlan, now: Date): Promise<void> {
  await tx`
    INSERT INTO compiled_plans (digest, plan, created_at) VALUES (${digest}, ${tx.json(plan as unknown as Json)}, ${now})
    ON CONFLICT (digest) DO NOTHING`
}

/** Null when nobody stored a plan of that digest. */
export async function getPlan(sql: Executor, digest: string): Promise<CompiledPlan | null> {
  const [row] = await sql<{ plan: CompiledPlan }[]>`SELECT plan FROM compiled_plans WHERE digest = ${digest}`
  return row?.plan ?? null
}

export async function isPlanStored(sql: Executor, digest: string): Promise<boolean> {
  return (await sql`SELECT 1 FROM compiled_plans WHERE digest = ${digest}`).length === 1
}

/** Plans by digest; those that are not stored are left out. */
export async function getPlans(sql: Executor, digests: readonly string[]): Promise<Map<string, CompiledPlan>> {
  const rows = await sql<{ digest: string; plan: CompiledPlan }[]>`
    SELECT digest, plan FROM compiled_plans WHERE digest = ANY(${[...digests]}::text[])`
  return new Map(rows.map(({ digest, plan }) => [digest, plan]))
}
