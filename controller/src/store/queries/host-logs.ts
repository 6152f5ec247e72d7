import type { Executor } from '../database.ts'

/** Somebody reads the log of a process on a joined host. */
export interface HostLogRequest {
  readonly request_id: string
  readonly instance_id: string
  readonly streams: readonly ('out' | 'err')[]
  readonly tail_lines: number | null
  readonly follow: boolean
}

export async function insertLogRequest(
  tx: Executor,
  request: HostLogRequest & { readonly host: string; readonly at: Date },
): Promise<void> {
  await tx`
    INSERT INTO host_log_requests (request_id, host, instance_id, streams, tail_lines, follow, read_at)
    VALUES (${request.request_id}, ${request.host}, ${request.instance_id}, ${[...request.streams]}::text[],
            ${request.tail_lines}, ${request.follow}, ${request.at})`
}

export async function hasLogRequests(sql: Executor, host: string): Promise<boolean> {
  return (await sql`SELECT 1 FROM host_log_requests WHERE host = ${host} AND NOT taken LIMIT 1`).length > 0
}

/** Requests that a host has not been told of; they count as told from now on. */
export async function takeLogRequests(tx: Executor, host: string): Promise<HostLogRequest[]> {
  return tx<HostLogRequest[]>`
    UPDATE host_log_requests SET taken = true WHERE host = ${host} AND NOT taken
    RETURNING request_id, instance_id, streams, tail_lines, follow`
}

/** False when nobody reads any more. */
export async function insertLogPiece(
  tx: Executor,
  host: string,
  piece: {
    readonly requestId: string
    readonly n: number
    readonly text: string
    readonly isLast: boolean
    readonly readAfter: Date
  },
): Promise<boolean> {
  const result = await tx`
    INSERT INTO host_log_pieces (request_id, n, text, is_last)
    SELECT request_id, ${piece.n}, ${piece.text}, ${piece.isLast} FROM host_log_requests
    WHERE request_id = ${piece.requestId} AND host = ${host} AND read_at > ${piece.readAfter}
    ON CONFLICT (request_id, n) DO NOTHING`
  if (result.count === 1) return true
  const known = await tx`
    SELECT 1 FROM host_log_pieces WHERE request_id = ${piece.requestId} AND n = ${piece.n}`
  return known.length === 1
}

/** The pieces that came since, in order; they are gone afterwards. */
export async function readLogPieces(
  tx: Executor,
  requestId: string,
  at: Date,
): Promise<{ readonly n: number; readonly text: string; readonly is_last: boolean }[]> {
  await tx`UPDATE host_log_requests SET read_at = ${at} WHERE request_id = ${requestId}`
  const rows = await tx<{ n: number; text: string; is_last: boolean }[]>`
    DELETE FROM host_log_pieces WHERE request_id = ${requestId} RETURNING n, text, is_last`
  return rows.sort((a, b) => a.n - b.n)
}

export async function deleteLogRequest(tx: Executor, requestId: string): Promise<void> {
  await tx`DELETE FROM host_log_requests WHERE request_id = ${requestId}`
}

/** Those nobody has read since `before`: their reader was killed. */
export async function deleteStaleLogRequests(tx: Executor, before: Date): Promise<number> {
  const result = await tx`DELETE FROM host_log_requests WHERE read_at < ${before}`
  return result.count
}
