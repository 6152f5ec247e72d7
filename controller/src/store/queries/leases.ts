import type { Executor } from '../database.ts'

/** True when the lease is the writer's afterwards, also when it was before. */
export async function acquireLease(sql: Executor, name: string, writer: string): Promise<boolean> {
  const rows = await sql`
    INSERT INTO leases AS held (name, writer) VALUES (${name}, ${writer})
    ON CONFLICT (name) DO UPDATE
      SET writer = excluded.writer,
          acquired_at = CASE WHEN held.writer = excluded.writer THEN held.acquired_at ELSE clock_timestamp() END
      WHERE held.writer IS NULL OR held.writer = excluded.writer
    RETURNING 1`
  return rows.length === 1
}

export async function isLeaseHeld(sql: Executor, name: string, writer: string): Promise<boolean> {
  const rows = await sql`SELECT 1 FROM leases WHERE name = ${name} AND writer = ${writer}`
  return rows.length === 1
}

export async function isLeaseFree(sql: Executor, name: string): Promise<boolean> {
  const rows = await sql`SELECT 1 FROM leases WHERE name = ${name} AND writer IS NOT NULL`
  return rows.length === 0
}

export async function releaseLease(sql: Executor, name: string, writer: string): Promise<void> {
  await sql`UPDATE leases SET writer = NULL WHERE name = ${name} AND writer = ${writer}`
}
