import { fail } from '../../../lib/error-catalogue.ts'
import type { ObjectRow } from '../../../store/queries/objects-read.ts'
import type { Principal } from '../../auth/principal.ts'
import type { ApiContext } from '../../context.ts'
import { findAgent } from '../find-agent.ts'

/** The agent a reference means, as {@link findAgent} takes it; agents find themselves alone. */
export async function findAgentFor(
  { store }: ApiContext,
  reference: string,
  namespace: string | undefined,
  principal: Principal,
): Promise<ObjectRow> {
  if (principal.type !== 'agent') return findAgent(store.reader, reference, namespace)
  const agent = await findAgent(store.reader, reference, namespace ?? principal.namespace)
  if (agent.uid !== principal.agentUid) throw noAgent(reference)
  return agent
}

export function noAgent(reference: string): Error {
  return fail('SW_NOT_FOUND', `there is no agent "${reference}"`, { remedy: 'list them: stateward get agents -A' })
}
