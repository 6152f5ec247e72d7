import type { McpServerVerbs } from '../api/ports/mcp-servers.ts'
import type { EventName } from '../events/catalogue.ts'
import { keyOf, type ObjectKey } from '../kinds/resource.ts'
import { secretText } from '../kinds/secret-ref.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { McpConnections } from '../mcp/connections.ts'
import { McpLogins } from '../mcp/oauth/logins.ts'
import type { OAuthDependencies } from '../mcp/ports.ts'
import type { World } from '../reconcile/world.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { appendEvents } from '../store/log.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import type { KnownSecrets } from '../telemetry/known-secrets.ts'
import { addressWithin } from '../tools/net/reach.ts'
import { networkOf } from './builtin-tools.ts'
import { mcpServerObject, serverOf } from './mcp.ts'

/** What servers behind OAuth need of this process. */
export function oauthParts(world: World, secrets: Secrets, known: KnownSecrets): OAuthDependencies {
  return {
    secrets,
    async keep(secret, value, use) {
      await secrets.put(secret, value, use)
    },
    learn: (secret) => known.learn(secret),
    async reach(namespace, host, isDeclared) {
      await addressWithin({ rules: networkOf(world, namespace), byAgent: !isDeclared }, host)
    },
  }
}

/** `stateward mcp login`. */
export function mcpLoginVerbs(deps: {
  readonly store: Store
  readonly world: World
  readonly connections: McpConnections
  readonly oauth: OAuthDependencies
  readonly enqueue: (key: ObjectKey) => void
}): Pick<McpServerVerbs, 'beginLogin' | 'finishLogin'> {
  const { store, world, connections, oauth, enqueue } = deps
  const logins = new McpLogins({
    ...oauth,
    clock: store.clock,
    challenge: (server, correlationId) => connections.challenge(server, correlationId),
  })
  return {
    beginLogin(ref, { redirectUri, scopes }, { correlationId }) {
      const server = serverOf(world, mcpServerObject(world, ref))
      return logins.begin(server, { redirectUri, scopes, correlationId })
    },
    async finishLogin(ref, callback, { actor, correlationId }) {
      const object = mcpServerObject(world, ref)
      const asked = { callback: new URLSearchParams(callback), correlationId }
      const { issuer, scopes, secret } = await logins.finish(serverOf(world, object), asked)
      const { namespace, name } = object
      const now = store.clock.now()
      const data = { namespace, server: name, issuer, scopes: [...scopes], secret: secretText(secret) }
      await transact(store, (tx) =>
        appendEvents(tx, store, [
          {
            event_id: uuidv7(now.getTime()),
            event_name: 'stateward.mcp.server.authorized' satisfies EventName,
            occurred_at: now,
            env_id: namespace,
            actor,
            correlation_id: correlationId,
            resource: { type: 'McpServer', id: object.uid },
            data,
          },
        ]),
      )
      await connections.forget(object)
      enqueue(keyOf(object))
      return { issuer, scopes, secret: data.secret }
    },
  }
}
