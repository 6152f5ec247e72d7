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

export type Claim =
  | { readonly kind: 'ours'; readonly operation: string }
  | { readonly kind: 'taken'; readonly row: KeyRow }

export interface ClaimRequest {
  readonly digest: string
  /** Who works on it; left out where the key is completed in the same transaction. */
  readonly by?: {
    /** The id of the operation, unless the same request began under another one before. */
    readonly operation: string
    readonly writer: string
    /** Operations this writer works on at this moment. */
    readonly underWay: readonly string[]
  }
  readonly now: Date
  readonly staleBefore: Date
  readonly abandonedBefore: Date
}

/**
 * Takes a key for a request, also one whose row is older than `staleBefore` (its 24 hours are over) or whose request did
 * not get to its answer: its process is gone, it failed, or it began before `abandonedBefore`. Until the answer is known,
 * the row holds the operation and who works on it.
 */
export async function claimKey(sql: Executor, key: IdempotencyKey, request: ClaimRequest): Promise<Claim> {
  const { operation, writer, underWay } = request.by ?? { operation: '', writer: '', underWay: [] }
  const [claimed] = await sql<{ operation: string }[]>`
    INSERT INTO idempotency_keys AS k (principal, route, key, request_digest, status, response, created_at)
    VALUES (${key.principal}, ${key.route}, ${key.key}, ${request.digest}, 0,
            ${sql.json({ operation, writer })}, ${request.now})
    ON CONFLICT (principal, route, key) DO UPDATE
      SET request_digest = excluded.request_digest, status = 0, created_at = excluded.created_at,
          response = CASE WHEN k.status = 0 AND k.request_digest = excluded.request_digest AND k.created_at >= ${request.staleBefore}
                          THEN excluded.response || jsonb_build_object('operation', coalesce(k.response -> 'operation', excluded.response -> 'operation'))
                          ELSE excluded.response END
      WHERE k.created_at < ${request.staleBefore}
         OR (k.status = 0 AND (
              k.created_at < ${request.abandonedBefore}
              OR NOT EXISTS (SELECT FROM writers w WHERE w.id::text = k.response ->> 'writer')
              OR (k.response ->> 'writer' = ${writer} AND NOT (k.response ->> 'operation' = ANY(${[...underWay]}::text[])))))
    RETURNING response ->> 'operation' AS operation`
  if (claimed !== undefined) return { kind: 'ours', operation: claimed.operation }
  const [row] = await sql<KeyRow[]>`
    SELECT request_digest, status, response, created_at FROM idempotency_keys
    WHERE principal = ${key.principal} AND route = ${key.route} AND key = ${key.key}`
  // Deleted in between by the retention: rows that old are nobody's.
  return row === undefined ? claimKey(sql, key, request) : { kind: 'taken', row }
}

/** Leaves a key to the next request of anybody: the operation failed, or nobody knows. */
export async function leaveKey(sql: Executor, key: IdempotencyKey): Promise<void> {
  await sql`
    UPDATE idempotency_keys SET response = response - 'writer'
    WHERE principal = ${key.principal} AND route = ${key.route} AND key = ${key.key} AND status = 0`
}

/** Remembers the answer of a request that took its key. */
export async function completeKey(sql: Executor, key: IdempotencyKey, status: number, response: string): Promise<void> {
  await sql`
    UPDATE idempotency_keys SET status = ${status}, response = ${response}::text::jsonb
    WHERE principal = ${key.principal} AND route = ${key.route} AND key = ${key.key}`
}

export async function deleteKeysBefore(sql: Executor, time: Date): Promise<number> {
  const rows = await sql`DELETE FROM idempotency_keys WHERE created_at < ${time}`
  return rows.count
}
