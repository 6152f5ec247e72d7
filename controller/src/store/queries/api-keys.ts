import type { Executor } from '../database.ts'

export interface ApiKeyRow {
  readonly key_id: string
  readonly name: string
  readonly prefix: string
  readonly roles: readonly string[]
  /** Only these of the verbs of the roles; null = all of them. */
  readonly verbs: readonly string[] | null
  readonly created_by: string
  readonly created_at: Date
  readonly expires_at: Date | null
  readonly revoked_by: string | null
  readonly revoked_at: Date | null
  readonly last_used_at: Date | null
}

const columns = (sql: Executor) =>
  sql`key_id, name, prefix, roles, verbs, created_by, created_at, expires_at, revoked_by, revoked_at, last_used_at`

/** False when a live key has that name. */
export async function insertApiKey(
  sql: Executor,
  key: Omit<ApiKeyRow, 'revoked_by' | 'revoked_at' | 'last_used_at'> & { readonly digest: string },
): Promise<boolean> {
  const rows = await sql`
    INSERT INTO api_keys (key_id, name, prefix, digest, roles, verbs, created_by, created_at, expires_at)
    VALUES (${key.key_id}, ${key.name}, ${key.prefix}, ${key.digest}, ${[...key.roles]}, ${key.verbs === null ? null : [...key.verbs]},
      ${key.created_by}, ${key.created_at}, ${key.expires_at})
    ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING`
  return rows.count === 1
}

export async function apiKeyByDigest(sql: Executor, digest: string): Promise<ApiKeyRow | null> {
  const [row] = await sql<ApiKeyRow[]>`SELECT ${columns(sql)} FROM api_keys WHERE digest = ${digest}`
  return row ?? null
}

/** The newest first. */
export async function pageApiKeys(
  sql: Executor,
  page: { readonly after: { readonly createdAt: Date; readonly keyId: string } | null; readonly limit: number },
): Promise<readonly ApiKeyRow[]> {
  return sql<ApiKeyRow[]>`
    SELECT ${columns(sql)} FROM api_keys
    ${page.after === null ? sql`` : sql`WHERE (created_at, key_id) < (${page.after.createdAt}, ${page.after.keyId}::uuid)`}
    ORDER BY created_at DESC, key_id DESC LIMIT ${page.limit}`
}

/** The key of an id, or the live one of a name; locked to the end of the transaction. */
export async function lockApiKey(
  sql: Executor,
  reference: { readonly id: string | null; readonly name: string },
): Promise<ApiKeyRow | null> {
  const [row] = await sql<ApiKeyRow[]>`
    SELECT ${columns(sql)} FROM api_keys
    WHERE ${reference.id === null ? sql`name = ${reference.name} AND revoked_at IS NULL` : sql`key_id = ${reference.id}`}
    FOR UPDATE`
  return row ?? null
}

export async function revokeApiKey(sql: Executor, keyId: string, by: string, at: Date): Promise<void> {
  await sql`UPDATE api_keys SET revoked_at = ${at}, revoked_by = ${by} WHERE key_id = ${keyId} AND revoked_at IS NULL`
}

export async function touchApiKey(sql: Executor, keyId: string, at: Date): Promise<void> {
  await sql`UPDATE api_keys SET last_used_at = ${at} WHERE key_id = ${keyId}`
}
