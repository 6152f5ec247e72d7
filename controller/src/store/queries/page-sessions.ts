import type { Executor } from '../database.ts'

export interface PageSessionRow {
  readonly session_id: string
  readonly principal: string
  readonly verbs: readonly string[]
  readonly roles: readonly string[]
  readonly via: 'link' | 'oidc'
  readonly expires_at: Date
}

export interface NewPageSession extends PageSessionRow {
  /** One of the two. */
  readonly link_sha256: string | null
  readonly token_sha256: string | null
  readonly created_at: Date
}

export async function insertPageSession(tx: Executor, row: NewPageSession): Promise<void> {
  await tx`
    INSERT INTO page_sessions (session_id, link_sha256, token_sha256, principal, verbs, roles, via, created_at, opened_at, expires_at)
    VALUES (${row.session_id}, ${row.link_sha256}, ${row.token_sha256}, ${row.principal}, ${[...row.verbs]}, ${[...row.roles]},
            ${row.via}, ${row.created_at}, ${row.token_sha256 === null ? null : row.created_at}, ${row.expires_at})`
}

/** Uses a link: from now on it is a session. Null when there is no such link, it was used, or is over. */
export async function openPageSession(
  tx: Executor,
  link: string,
  session: { readonly token_sha256: string; readonly at: Date; readonly expires_at: Date },
): Promise<PageSessionRow | null> {
  const [row] = await tx<PageSessionRow[]>`
    UPDATE page_sessions SET link_sha256 = NULL, token_sha256 = ${session.token_sha256}, opened_at = ${session.at}, expires_at = ${session.expires_at}
    WHERE link_sha256 = ${link} AND expires_at > ${session.at}
    RETURNING session_id, principal, verbs, roles, via, expires_at`
  return row ?? null
}

export async function pageSessionByToken(sql: Executor, token: string): Promise<PageSessionRow | null> {
  const [row] = await sql<PageSessionRow[]>`
    SELECT session_id, principal, verbs, roles, via, expires_at FROM page_sessions WHERE token_sha256 = ${token}`
  return row ?? null
}

/** Null when there is no such session. */
export async function endPageSession(tx: Executor, token: string): Promise<PageSessionRow | null> {
  const [row] = await tx<PageSessionRow[]>`
    DELETE FROM page_sessions WHERE token_sha256 = ${token}
    RETURNING session_id, principal, verbs, roles, via, expires_at`
  return row ?? null
}

/** Links and sessions of a principal that may do nothing any more. */
export async function endPageSessionsOf(tx: Executor, principal: string): Promise<void> {
  await tx`DELETE FROM page_sessions WHERE principal = ${principal}`
}

export async function forgetPageSessions(tx: Executor, before: Date): Promise<void> {
  await tx`DELETE FROM page_sessions WHERE expires_at < ${before}`
}
