import type { Json } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

export interface IdempotencyKey {
  readonly principal: string
  readonly route: string
  readonly key: string
}

export interface KeyRow {
  readonly request_digest: string
  /** 0 while the first request is still being worked on. */
  readonly status: number
  readonly response: Json
  readonly created_at: Date
}

/**
 * Takes a key for a request, also one whose row is older than `staleBefore` (its 24 hours are over) or whose request never
 * ended (taken before `abandonedBefore`: its process died). Returns null when it is ours now, else the row that has it.
 */
export async function claimKey(
  sql: Executor,
  key: IdempotencyKey,
  request: { readonly digest: string; readonly now: Date; readonly staleBefore: Date; readonly abandonedBefore: Date },
): Promise<KeyRow | null> {
  const claimed = await sql`
    INSERT INTO idempotency_keys (principal, route, key, request_digest, status, response, created_at)
    VALUES (${key.principal}, ${key.route}, ${key.key}, ${request.digest}, 0, 'null', ${request.now})
    ON CONFLICT (principal, route, key) DO UPDATE
      SET request_digest = excluded.request_digest, status = 0, response = 'null', created_at = excluded.created_at
      WHERE idempotency_keys.created_at < ${request.staleBefore}
         OR (idempotency_keys.status = 0 AND idempotency_keys.created_at < ${request.abandonedBefore})
    RETURNING 1`
  if (claimed.length === 1) return null
  const [row] = await sql<KeyRow[]>`
    SELECT request_digest, status, response, created_at FROM idempotency_keys
    WHERE principal = ${key.principal} AND route = ${key.route} AND key = ${key.key}`
  return row ?? null
}

/** Remembers the answer of a request that took its key. */
export async function completeKey(sql: Executor, key: IdempotencyKey, status: number, response: string): Promise<void> {
  await sql`
    UPDATE idempotency_keys SET status = ${status}, response = ${response}::text::jsonb
    WHERE principal = ${key.principal} AND route = ${key.route} AND key = ${key.key}`
}

/** Gives a key back: its request failed in a way that may be tried again. */
export async function releaseKey(sql: Executor, key: IdempotencyKey): Promise<void> {
  await sql`
    DELETE FROM idempotency_keys
    WHERE principal = ${key.principal} AND route = ${key.route} AND key = ${key.key} AND status = 0`
}

export async function deleteKeysBefore(sql: Executor, time: Date): Promise<number> {
  const rows = await sql`DELETE FROM idempotency_keys WHERE created_at < ${time}`
  return rows.count
}
