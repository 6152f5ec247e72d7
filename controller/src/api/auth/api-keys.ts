import { sha256 } from '../../lib/digest.ts'
import { type ApiKeyRow, apiKeyByDigest, touchApiKey } from '../../store/queries/api-keys.ts'
import type { Store } from '../../store/store.ts'
import type { PlainPrincipal } from './principal.ts'
import { roleNamed, verbsOf, withIncluded } from './roles.ts'
import type { Verb } from './verbs.ts'

/** A key that was looked up counts this long without being looked up again: as long as a revocation takes in other processes. */
const FRESH_MS = 1_000
const TOUCH_MS = 60_000
const MOST = 10_000

interface Known {
  readonly row: ApiKeyRow | null
  readonly at: number
}

/** The API keys of this installation, by the digest of what was sent. */
export class ApiKeys {
  readonly #store: Store
  readonly #known = new Map<string, Known>()
  readonly #touched = new Map<string, number>()

  constructor(store: Store) {
    this.#store = store
  }

  /** Whom a key belongs to; null when it is none, is revoked, or is over. */
  async principalOf(token: string): Promise<PlainPrincipal | null> {
    const digest = sha256(token)
    const row = await this.#rowOf(digest)
    const now = this.#store.clock.now()
    if (row === null || row.revoked_at !== null || (row.expires_at !== null && row.expires_at <= now)) return null
    await this.#touch(row.key_id, now)
    return { type: 'key', name: `key:${row.name}`, verbs: verbsOfKey(row), roles: withIncluded(row.roles) }
  }

  /** What this process had looked up counts no more. */
  forget(): void {
    this.#known.clear()
  }

  async #rowOf(digest: string): Promise<ApiKeyRow | null> {
    const now = this.#store.clock.monotonicMs()
    const known = this.#known.get(digest)
    if (known !== undefined && now - known.at < FRESH_MS) return known.row
    const row = await apiKeyByDigest(this.#store.engine, digest)
    // What is sent is the sender's choice: wrong keys must not fill the memory.
    if (this.#known.size >= MOST) this.#known.clear()
    this.#known.set(digest, { row, at: now })
    return row
  }

  async #touch(keyId: string, now: Date): Promise<void> {
    if (now.getTime() - (this.#touched.get(keyId) ?? 0) < TOUCH_MS) return
    this.#touched.set(keyId, now.getTime())
    await touchApiKey(this.#store.engine, keyId, now)
  }
}

/** The verbs of the key's roles, of which it may have only some. Roles of a later version are none. */
export function verbsOfKey(row: Pick<ApiKeyRow, 'roles' | 'verbs'>): ReadonlySet<Verb> {
  const held = verbsOf(row.roles.map(roleNamed).filter((role) => role !== null))
  return row.verbs === null ? held : new Set([...held].filter((verb) => row.verbs?.includes(verb)))
}
