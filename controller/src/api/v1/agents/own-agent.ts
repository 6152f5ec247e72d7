import Type, { type Static } from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { parseUsd, USD_PATTERN } from '../../../lib/usd.ts'
import { objectsByUid } from '../../../store/queries/objects-read.ts'
import type { AgentPrincipal, Principal } from '../../auth/principal.ts'
import type { ApiContext } from '../../context.ts'
import { JsonMap, NamespaceQuery, only, Reference } from '../schemas.ts'

export const AgentParams = Type.Object({ agent: Reference })
export const Scope = only(NamespaceQuery)
export const Interventions = Type.Array(JsonMap)

/** What an agent says it used. */
export const Usage = only(
  {
    tokens: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000_000 })),
    cost_usd: Type.Optional(
      Type.String({ maxLength: 20, pattern: USD_PATTERN, description: 'US dollars, at most nine places: "0.00018"' }),
    ),
  },
  { title: 'Usage' },
)

export function usageOf(usage: Static<typeof Usage> | undefined) {
  return { tokens: usage?.tokens ?? 0, costNanoUsd: Number(parseUsd(usage?.cost_usd ?? '0')!) }
}

/** The instance a request speaks for. Throws SW_FORBIDDEN for anybody else. */
export function agentOf(principal: Principal): AgentPrincipal {
  if (principal.type !== 'agent')
    throw fail('SW_FORBIDDEN', 'only a running instance of an agent may do this, with its own token')
  return principal
}

/** The same where the body names the instance: it has to be the token's. */
export function instanceOf(principal: Principal, instanceId: string): AgentPrincipal {
  const agent = agentOf(principal)
  if (agent.instanceId !== instanceId)
    throw fail('SW_FORBIDDEN', `the token belongs to instance ${agent.instanceId}, not to ${instanceId}`)
  return agent
}

/** The path has to name the agent of the token: by uid, `agentId`, or name. */
export async function checkAgentName(
  context: ApiContext,
  agent: AgentPrincipal,
  name: string,
  namespace: string | undefined,
): Promise<void> {
  if (name === agent.agentUid) return
  if (name === agent.agent && (namespace === undefined || namespace === agent.namespace)) return
  const [object] = await objectsByUid(context.store.reader, [agent.agentUid])
  if (object?.spec['agentId'] === name) return
  throw fail('SW_FORBIDDEN', `the token belongs to ${agent.name}`)
}
