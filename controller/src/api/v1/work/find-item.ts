import { fail } from '../../../lib/error-catalogue.ts'
import { isUuid } from '../../../lib/ids.ts'
import type { Executor, Tx } from '../../../store/database.ts'
import { type WorkItemView, workItemsById, workItemsByReference } from '../../../store/queries/work-items.ts'
import type { Caller as WorkCaller, WorkDeps } from '../../../work/ports.ts'
import type { Principal } from '../../auth/principal.ts'
import type { Caller } from '../../caller.ts'
import type { ApiContext } from '../../context.ts'

const SHORTEST_PREFIX = 4

export const ITEM_REFERENCE = '`{item}` is a name, an id, or a unique beginning of one (4 characters or more).'

/**
 * The item a reference means: its name, its whole id, or a beginning of either that is unique (4 characters or more).
 * Throws SW_NOT_FOUND or SW_AMBIGUOUS, which names the candidates.
 */
export async function findItem(sql: Executor, text: string, namespace: string | null): Promise<WorkItemView> {
  if (isUuid(text.toLowerCase())) {
    const [item] = await workItemsById(sql, [text.toLowerCase()])
    if (item !== undefined && (namespace === null || item.namespace === namespace)) return item
    throw noItem(text, namespace)
  }
  const found = await workItemsByReference(sql, { text, namespace, limit: 6 })
  const exact = found.filter((item) => item.exact)
  if (exact.length === 1) return exact[0]!
  const candidates = exact.length > 1 ? exact : text.length >= SHORTEST_PREFIX ? found : []
  if (candidates.length === 0) throw noItem(text, namespace)
  if (candidates.length === 1) return candidates[0]!
  const names = candidates.map((item) => `${item.namespace}/${item.name}`)
  throw fail('SW_AMBIGUOUS', `"${text}" could be ${names.join(', ')}`, { details: { candidates: names } })
}

function noItem(text: string, namespace: string | null): Error {
  const where = namespace === null ? '' : ` in namespace ${namespace}`
  return fail('SW_NOT_FOUND', `there is no work item "${text}"${where}`, {
    details: { kind: 'workitems', name: text },
    remedy: 'list them: stateward work list',
  })
}

/** An item as it stands in this transaction. */
export async function itemAfter(tx: Tx, itemId: string): Promise<WorkItemView> {
  const [row] = await workItemsById(tx, [itemId])
  if (row === undefined) throw fail('SW_NOT_FOUND', `work item ${itemId} is gone`)
  return row
}

export function workDeps(context: ApiContext): WorkDeps {
  return { store: context.store, ...context.services.work }
}

export function workCaller(caller: Caller, principal: Principal): WorkCaller {
  const agent = principal.type === 'agent' ? { namespace: principal.namespace, name: principal.agent } : null
  return { actor: caller.actor, correlationId: caller.correlationId, agent }
}
