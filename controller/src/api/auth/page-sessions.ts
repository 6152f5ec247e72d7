import type { EventName } from '../../events/catalogue.ts'
import { sha256 } from '../../lib/digest.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { newToken, uuidv7 } from '../../lib/ids.ts'
import type { Tx } from '../../store/database.ts'
import { appendEvents } from '../../store/log.ts'
import {
  endPageSession,
  forgetPageSessions,
  insertPageSession,
  openPageSession,
  type PageSessionRow,
  pageSessionByToken,
} from '../../store/queries/page-sessions.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import type { Caller } from '../caller.ts'
import type { PlainPrincipal, Principal } from './principal.ts'
import { isVerb, type Verb } from './verbs.ts'

/** A link is typed or clicked at once; a session is as long as a working day. */
const LINK_MS = 5 * 60_000
export const SESSION_MS = 12 * 3_600_000
/** A session that was looked up counts this long without being looked up again. */
const FRESH_MS = 1_000
const MOST = 10_000

/** What a browser may be let do at most: it reads. */
const READING: readonly Verb[] = [
  'read',
  'tasks.read',
  'messages.read',
  'proposals.read',
  'secrets.read',
  'keys.read',
  'audit.verify',
]

interface Known {
  readonly row: PageSessionRow | null
  readonly at: number
}

/**
 * Browsers that are signed in to the page. Each was by a link that works once, or by the identity provider; its cookie reads
 * what the principal behind it may read, and does nothing else.
 */
export class PageSessions {
  readonly #store: Store
  readonly #nudge: (seq: number) => void
  readonly #known = new Map<string, Known>()

  constructor(store: Store, nudge: (seq: number) => void) {
    this.#store = store
    this.#nudge = nudge
  }

  /** A link for a person or a key; the number of the event comes with it. Throws SW_FORBIDDEN for agents and hosts. */
  async createLink(
    tx: Tx,
    principal: Principal,
    caller: Caller,
  ): Promise<{ readonly token: string; readonly expiresAt: Date; readonly seq: number }> {
    if (principal.type === 'agent' || principal.type === 'host')
      throw fail('SW_FORBIDDEN', `${principal.name} has no browser: links are for people and API keys`)
    const now = this.#store.clock.now()
    const token = newToken('l')
    const expiresAt = new Date(now.getTime() + LINK_MS)
    const row = rowOf(principal, 'link', expiresAt, now)
    await forgetPageSessions(tx, now)
    await insertPageSession(tx, { ...row, link_sha256: sha256(token), token_sha256: null, created_at: now })
    const seq = await this.#note(tx, 'stateward.access.link_created', row, caller)
    return { token, expiresAt, seq }
  }

  /** The cookie a link is worth; null when it is none, was used, or is over. */
  open(link: string, correlationId: string): Promise<string | null> {
    return this.#start(correlationId, async (tx, token, now, expiresAt) =>
      openPageSession(tx, sha256(link), { token_sha256: sha256(token), at: now, expires_at: expiresAt }),
    )
  }

  /** The cookie of somebody the identity provider vouches for. */
  async startFor(principal: PlainPrincipal, correlationId: string): Promise<string> {
    const token = await this.#start(correlationId, async (tx, made, now, expiresAt) => {
      const row = rowOf(principal, 'oidc', expiresAt, now)
      await forgetPageSessions(tx, now)
      await insertPageSession(tx, { ...row, link_sha256: null, token_sha256: sha256(made), created_at: now })
      return row
    })
    return token!
  }

  /** Whom a cookie stands for; null when it is none, or is over. */
  async principalOf(token: string): Promise<(PlainPrincipal & { readonly expiresAt: Date }) | null> {
    const row = await this.#rowOf(sha256(token))
    if (row === null || row.expires_at <= this.#store.clock.now()) return null
    const verbs = new Set(row.verbs.filter(isVerb))
    return { type: 'user', name: row.principal, verbs, roles: row.roles, expiresAt: row.expires_at }
  }

  async end(token: string, correlationId: string): Promise<void> {
    const seq = await transact(this.#store, async (tx) => {
      const row = await endPageSession(tx, sha256(token))
      if (row === null) return null
      return this.#note(tx, 'stateward.access.session_ended', row, { actor: row.principal, correlationId })
    })
    this.forget()
    if (seq !== null) this.#nudge(seq)
  }

  /** What this process had looked up counts no more. */
  forget(): void {
    this.#known.clear()
  }

  async #start(
    correlationId: string,
    make: (tx: Tx, token: string, now: Date, expiresAt: Date) => Promise<PageSessionRow | null>,
  ): Promise<string | null> {
    const now = this.#store.clock.now()
    const token = newToken('u')
    const seq = await transact(this.#store, async (tx) => {
      const row = await make(tx, token, now, new Date(now.getTime() + SESSION_MS))
      if (row === null) return null
      return this.#note(tx, 'stateward.access.session_started', row, { actor: row.principal, correlationId })
    })
    if (seq === null) return null
    this.#nudge(seq)
    return token
  }

  async #rowOf(digest: string): Promise<PageSessionRow | null> {
    const now = this.#store.clock.monotonicMs()
    const known = this.#known.get(digest)
    if (known !== undefined && now - known.at < FRESH_MS) return known.row
    const row = await pageSessionByToken(this.#store.engine, digest)
    // What is sent is the sender's choice: wrong cookies must not fill the memory.
    if (this.#known.size >= MOST) this.#known.clear()
    this.#known.set(digest, { row, at: now })
    return row
  }

  async #note(
    tx: Tx,
    name: Extract<EventName, `stateward.access.${'link' | 'session'}_${string}`>,
    { session_id, principal, via, expires_at }: PageSessionRow,
    { actor, correlationId }: Pick<Caller, 'actor' | 'correlationId'>,
  ): Promise<number> {
    const now = this.#store.clock.now()
    const { lastSeq } = await appendEvents(tx, this.#store, [
      {
        event_id: uuidv7(now.getTime()),
        event_name: name,
        occurred_at: now,
        env_id: 'default',
        actor,
        correlation_id: correlationId,
        data: { session_id, principal, via, expires_at: expires_at.toISOString() },
      },
    ])
    return lastSeq
  }
}

function rowOf(
  { name, verbs, roles = [] }: PlainPrincipal,
  via: PageSessionRow['via'],
  expiresAt: Date,
  now: Date,
): PageSessionRow {
  return {
    session_id: uuidv7(now.getTime()),
    principal: name,
    verbs: READING.filter((verb) => verbs.has(verb)),
    roles,
    via,
    expires_at: expiresAt,
  }
}
