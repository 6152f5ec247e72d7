import { sha256 } from '../lib/digest.ts'
import { fail } from '../lib/error-catalogue.ts'
import { newToken, uuidv7 } from '../lib/ids.ts'
import type { JsonObject } from '../lib/json.ts'
import { appendEvents } from '../store/log.ts'
import { type HostTokenRow, insertHostToken, revokeHostToken } from '../store/queries/host-tokens.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { type Caller, hostEvent } from './events.ts'

/** As many characters of a token as lists and logs show. */
const SHOWN = 8

export interface NewToken {
  /** Only a host of this name may join with it; null = any. */
  readonly host: string | null
  /** Given to the host that joins with it. */
  readonly labels: Readonly<Record<string, string>>
  /** null = as often as wanted until it expires. */
  readonly uses: number | null
  readonly expiresAt: Date
}

/** Makes a token with which a machine can join. It is returned once; what is stored is its digest. */
export async function createHostToken(
  store: Store,
  wanted: NewToken,
  caller: Caller,
): Promise<HostTokenRow & { readonly token: string }> {
  const now = store.clock.now()
  if (wanted.expiresAt <= now) throw fail('SW_BAD_REQUEST', 'the token would have expired before it exists')
  const token = newToken('j')
  const row = {
    token_id: uuidv7(now.getTime()),
    prefix: token.slice(0, SHOWN),
    host: wanted.host,
    labels: wanted.labels,
    uses_left: wanted.uses,
    created_by: caller.actor,
    created_at: now,
    expires_at: wanted.expiresAt,
  }
  await transact(store, async (tx) => {
    await insertHostToken(tx, { ...row, token_sha256: sha256(token) })
    await appendEvents(tx, store, [hostEvent('token.created', wanted.host ?? '', now, tokenData(row), caller)])
  })
  return { ...row, revoked_at: null, last_used_at: null, token }
}

/** Hosts that joined with it stay. Throws SW_NOT_FOUND. */
export async function revokeToken(store: Store, token: string, caller: Caller): Promise<HostTokenRow> {
  const now = store.clock.now()
  return transact(store, async (tx) => {
    const row = await revokeHostToken(tx, token, now)
    if (row === null) throw fail('SW_NOT_FOUND', `there is no join token ${token}`)
    await appendEvents(tx, store, [hostEvent('token.revoked', row.host ?? '', now, tokenData(row), caller)])
    return row
  })
}

function tokenData(row: Pick<HostTokenRow, 'token_id' | 'prefix' | 'host' | 'labels' | 'uses_left' | 'expires_at'>) {
  return {
    token_id: row.token_id,
    prefix: row.prefix,
    host: row.host,
    labels: { ...row.labels },
    uses_left: row.uses_left,
    expires_at: row.expires_at.toISOString(),
  } satisfies JsonObject
}
