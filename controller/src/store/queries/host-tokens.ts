import type { Executor } from '../database.ts'

export interface HostTokenRow {
  readonly token_id: string
  readonly prefix: string
  /** Only a host of this name may use it; null = any. */
  readonly host: string | null
  readonly labels: Readonly<Record<string, string>>
  /** null = as often as wanted. */
  readonly uses_left: number | null
  readonly created_by: string
  readonly created_at: Date
  readonly expires_at: Date
  readonly revoked_at: Date | null
  readonly last_used_at: Date | null
}

export type NewHostToken = Omit<HostTokenRow, 'revoked_at' | 'last_used_at'> & { readonly token_sha256: string }

export async function insertHostToken(tx: Executor, token: NewHostToken): Promise<void> {
  await tx`
    INSERT INTO host_tokens (token_id, token_sha256, prefix, host, labels, uses_left, created_by, created_at, expires_at)
    VALUES (${token.token_id}, ${token.token_sha256}, ${token.prefix}, ${token.host}, ${tx.json({ ...token.labels })},
            ${token.uses_left}, ${token.created_by}, ${token.created_at}, ${token.expires_at})`
}

/** Uses a token once, if it is good for a host of that name at that time; null when it is not. */
export async function useHostToken(
  tx: Executor,
  tokenSha256: string,
  host: string,
  at: Date,
): Promise<HostTokenRow | null> {
  const [row] = await tx<HostTokenRow[]>`
    UPDATE host_tokens SET uses_left = uses_left - 1, last_used_at = ${at}
    WHERE token_sha256 = ${tokenSha256} AND revoked_at IS NULL AND expires_at > ${at}
      AND (uses_left IS NULL OR uses_left > 0) AND (host IS NULL OR host = ${host})
    RETURNING ${columns(tx)}`
  return row ?? null
}

/** The newest first, without those that are over since `before`. */
export async function listHostTokens(sql: Executor, before: Date): Promise<HostTokenRow[]> {
  return sql<HostTokenRow[]>`
    SELECT ${columns(sql)} FROM host_tokens WHERE expires_at > ${before} ORDER BY created_at DESC LIMIT 1000`
}

/** By its id or its beginning; null when there is none that is still good. */
export async function revokeHostToken(tx: Executor, token: string, at: Date): Promise<HostTokenRow | null> {
  const [row] = await tx<HostTokenRow[]>`
    UPDATE host_tokens SET revoked_at = ${at}
    WHERE revoked_at IS NULL AND (token_id::text = ${token} OR prefix = ${token})
    RETURNING ${columns(tx)}`
  return row ?? null
}

function columns(sql: Executor) {
  return sql([
    'token_id',
    'prefix',
    'host',
    'labels',
    'uses_left',
    'created_by',
    'created_at',
    'expires_at',
    'revoked_at',
    'last_used_at',
  ])
}
