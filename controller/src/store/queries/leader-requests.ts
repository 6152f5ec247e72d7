import type { Json, JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

/** Something only the leader can do, asked by another process. */
export interface LeaderRequest {
  readonly id: string
  readonly asker: string
  readonly verb: string
  readonly arguments: JsonObject
  readonly actor: string
  readonly correlation_id: string
  readonly created_at: Date
}

export interface LeaderAnswer {
  readonly answer: Json
  /** An error of the catalogue as data; null = it was done. */
  readonly error: JsonObject | null
}

export async function insertLeaderRequest(tx: Executor, row: LeaderRequest): Promise<void> {
  await tx`
    INSERT INTO leader_requests (id, asker, verb, arguments, actor, correlation_id, created_at)
    VALUES (${row.id}, ${row.asker}, ${row.verb}, ${tx.json(row.arguments)}, ${row.actor}, ${row.correlation_id}, ${row.created_at})`
}

/** What nobody has answered, in the order it was asked. */
export async function openLeaderRequests(sql: Executor): Promise<LeaderRequest[]> {
  return sql<LeaderRequest[]>`
    SELECT id, asker, verb, arguments, actor, correlation_id, created_at FROM leader_requests
    WHERE answered_at IS NULL ORDER BY created_at, id LIMIT 100`
}

/** The first answer counts. */
export async function answerLeaderRequest(tx: Executor, id: string, given: LeaderAnswer, at: Date): Promise<void> {
  await tx`
    UPDATE leader_requests
    SET answer = ${tx.json(given.answer as never)}, error = ${given.error === null ? null : tx.json(given.error)}, answered_at = ${at}
    WHERE id = ${id} AND answered_at IS NULL`
}

/** Null while there is no answer. */
export async function leaderAnswer(sql: Executor, id: string): Promise<LeaderAnswer | null> {
  const [row] = await sql<LeaderAnswer[]>`
    SELECT answer, error FROM leader_requests WHERE id = ${id} AND answered_at IS NOT NULL`
  return row ?? null
}

export async function removeLeaderRequest(tx: Executor, id: string): Promise<void> {
  await tx`DELETE FROM leader_requests WHERE id = ${id}`
}
