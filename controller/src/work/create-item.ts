import { fail } from '../lib/error-catalogue.ts'
import { recordName, uuidv7 } from '../lib/ids.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import { insertWorkItem } from '../store/queries/work-items.ts'
import { assertAgent, assertParent, assertProject, checkedFields, type ParentItem } from './change-item.ts'
import { workEvent } from './events.ts'
import { firstState } from './item-type.ts'
import { itemType } from './item-types.ts'
import type { Caller, WorkDeps } from './ports.ts'

export interface NewItem {
  readonly type: string
  readonly namespace: string
  readonly title: string
  readonly description: string
  readonly project: string | null
  readonly parent: ParentItem | null
  readonly assignee: string | null
  readonly required_capabilities: readonly string[]
  readonly priority: number
  readonly fields: JsonObject
}

/**
 * Makes an item in the first state of its type, with its event; the work of one transaction. SW_VALIDATION_FAILED: its fields,
 * project, parent or assignee. SW_FORBIDDEN: what agents may not make.
 */
export async function createItem(
  tx: Tx,
  deps: WorkDeps,
  item: NewItem,
  caller: Caller,
): Promise<{ readonly itemId: string; readonly lastSeq: number }> {
  const type = itemType(item.type)
  const { agent } = caller
  if (agent !== null) {
    if (!type.isForAgents) throw fail('SW_FORBIDDEN', `a ${type.name} is for people to make`)
    if (item.namespace !== agent.namespace)
      throw fail('SW_FORBIDDEN', `${caller.actor} belongs to namespace ${agent.namespace}`)
    if (item.assignee !== null && item.assignee !== caller.actor)
      throw fail('SW_FORBIDDEN', `${caller.actor} may give work only to itself`)
  }
  assertProject(deps, item.namespace, item.project)
  if (item.assignee !== null) assertAgent(deps, item.assignee)
  if (item.parent !== null) await assertParent(tx, { type, namespace: item.namespace, itemId: null }, item.parent)
  const at = deps.store.clock.now()
  const state = firstState(type)
  const { parent, ...rest } = item
  const row = {
    ...rest,
    fields: checkedFields(type, item.fields),
    item_id: uuidv7(at.getTime()),
    name: recordName(type.name.replaceAll('_', '-')),
    parent_id: parent?.item_id ?? null,
    task_id: null,
    state,
    phase: type.states[state]!.phase,
    created_by: caller.actor,
    correlation_id: caller.correlationId,
    created_at: at,
  }
  await insertWorkItem(tx, row)
  const { description, priority, fields, required_capabilities: capabilities } = row
  const data = { parent: parent?.name ?? null, description, priority, fields, required_capabilities: [...capabilities] }
  const { lastSeq } = await appendEvents(tx, deps.store, [workEvent('created', row, caller, at, data)])
  return { itemId: row.item_id, lastSeq }
}
