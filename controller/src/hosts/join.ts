import { sha256 } from '../lib/digest.ts'
import { fail } from '../lib/error-catalogue.ts'
import { newToken } from '../lib/ids.ts'
import { appendEvents } from '../store/log.ts'
import { useHostToken } from '../store/queries/host-tokens.ts'
import { lockHost, upsertJoinedHost } from '../store/queries/hosts.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { hostEvent } from './events.ts'
import { DATABASE_LABEL } from './placement.ts'

export interface JoinRequest {
  readonly token: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly agentSlots: number
}

/**
 * Makes a machine a host: a join token is exchanged for a credential of its own, which is returned once and stored as a
 * digest. Joining again under the same name replaces the credential, once the machine that had it reports no more.
 * Throws SW_UNAUTHENTICATED, SW_FORBIDDEN, SW_CONFLICT.
 */
export async function joinHost(
  store: Store,
  request: JoinRequest,
  correlationId: string,
): Promise<{ readonly credential: string }> {
  const { name } = request
  // That label gives the database away: a machine cannot give it to itself.
  if (request.labels[DATABASE_LABEL] !== undefined)
    throw fail('SW_FORBIDDEN', `a machine cannot give itself the label ${DATABASE_LABEL}`, {
      remedy: `put it on the join token (--label ${DATABASE_LABEL}=true), or declare a Host ${name} with it`,
    })
  const credential = newToken('h')
  await transact(store, async (tx) => {
    const at = store.clock.now()
    const row = await lockHost(tx, name)
    if (row?.connection === 'local') throw fail('SW_CONFLICT', `${name} is the controller's own machine`)
    if (row?.session != null)
      throw fail('SW_CONFLICT', `host ${name} is connected`, {
        remedy: 'choose another --name, or stop that host first',
      })
    const token = await useHostToken(tx, sha256(request.token), name, at)
    if (token === null)
      throw fail('SW_UNAUTHENTICATED', 'the join token is used up, over, revoked, or for another host', {
        remedy: 'make one with `stateward host token create`',
      })
    const labels = { ...request.labels, ...token.labels }
    await upsertJoinedHost(tx, {
      name,
      credentialSha256: sha256(credential),
      labels,
      agentSlots: request.agentSlots,
      at,
    })
    const data = { host: name, labels, agent_slots: request.agentSlots, token_id: token.token_id }
    await appendEvents(tx, store, [hostEvent('joined', name, at, data, { actor: `host:${name}`, correlationId })])
  })
  return { credential }
}
