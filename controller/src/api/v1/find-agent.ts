import { fail } from '../../lib/error-catalogue.ts'
import { isUuid } from '../../lib/ids.ts'
import type { Executor } from '../../store/database.ts'
import { agentsByReference } from '../../store/queries/agents-read.ts'
import type { ObjectRow } from '../../store/queries/objects-read.ts'

export const AGENT_REFERENCE = '`{agent}` is the uid, the `agentId` or the name of the agent.'

/**
 * The agent a reference means: its uid, its name (in `default` unless a namespace is given), or its `agentId`. Throws
 * SW_NOT_FOUND, or SW_AMBIGUOUS, which names the candidates.
 */
export async function findAgent(sql: Executor, text: string, namespace: string | undefined): Promise<ObjectRow> {
  const uid = isUuid(text.toLowerCase()) ? text.toLowerCase() : null
  const found = await agentsByReference(sql, { text, uid, namespace: namespace ?? null })
  const here = found.filter((agent) => agent.namespace === (namespace ?? 'default'))
  const candidates = [
    found.filter((agent) => agent.uid === uid),
    here.filter((agent) => agent.name === text),
    found.filter((agent) => agent.spec['agentId'] === text),
  ].find((some) => some.length > 0)
  if (candidates === undefined)
    throw fail('SW_NOT_FOUND', `there is no agent "${text}"${namespace === undefined ? '' : ` in ${namespace}`}`)
  if (candidates.length === 1) return candidates[0]!
  const names = candidates.map((agent) => `${agent.namespace}/${agent.name}`)
  throw fail('SW_AMBIGUOUS', `"${text}" could be ${names.join(', ')}`, { details: { candidates: names } })
}
