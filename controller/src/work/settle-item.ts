import type { Json, JsonObject } from '../lib/json.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import { type EndedTask, lockWorkItem, updateWorkItem } from '../store/queries/work-items.ts'
import type { Store } from '../store/store.ts'
import { workEvent } from './events.ts'
import { itemType } from './item-types.ts'

const MAX_RESULT = 4000

/**
 * An item follows the task that was made for it: it is done, or failed, with what came of it; a task that was cancelled gives
 * it back. The work of one transaction; nothing happens when somebody was faster, and an item that was moved elsewhere
 * meanwhile stays there.
 */
export async function settleItem(tx: Tx, store: Store, ended: EndedTask): Promise<void> {
  const row = await lockWorkItem(tx, ended.item_id)
  if (row === null || row.task_id !== ended.task_id) return
  const type = itemType(row.type)
  const { byAgents } = type
  const at = store.clock.now()
  const caller = { actor: 'system', correlationId: ended.correlation_id, agent: null }
  const free = { task_id: null }
  if (byAgents === undefined || row.state !== byAgents.running) {
    await updateWorkItem(tx, row, free, at)
    return void (await appendEvents(tx, store, [workEvent('changed', row, caller, at, { changed: { task: null } })]))
  }
  const to = byAgents[ended.status]
  const result = resultOf(ended)
  const fields: JsonObject = result === null ? row.fields : { ...row.fields, [byAgents.result]: result }
  const next = { ...free, fields, state: to, phase: type.states[to]!.phase }
  await updateWorkItem(tx, row, next, at)
  const data = { from: row.state, to, reason: `task ${ended.task_id} ${ended.status}` }
  await appendEvents(tx, store, [workEvent('moved', { ...row, ...next }, caller, at, data)])
}

function resultOf({ status, output, error }: EndedTask): string | null {
  if (status === 'cancelled') return null
  const text = status === 'failed' ? String(error?.['message'] ?? 'it failed') : textOf(output)
  return text.length <= MAX_RESULT ? text : `${text.slice(0, MAX_RESULT - 1)}…`
}

function textOf(output: Json): string {
  if (typeof output === 'string') return output
  return JSON.stringify(output)
}
