import { fail } from '../lib/error-catalogue.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import { updateWorkItem, type WorkItemRow } from '../store/queries/work-items.ts'
import { assertMove, chosenAgent, lockedItem, type Wanted } from './change-item.ts'
import { workEvent } from './events.ts'
import type { Caller, WorkDeps } from './ports.ts'

/** What an agent is asked to do for an item. */
export interface AskedTask {
  readonly namespace: string
  readonly agent: string
  readonly prompt: string
  readonly inputs: JsonObject
}

const AGENT = /^agent:(?<namespace>[^/]+)\/(?<name>.+)$/

/**
 * Has an agent do an item: the one it is assigned to, else the one that can and has the least to do. The task is made in the
 * same transaction; when it has ended, the item follows ({@link settleItem}). SW_CONFLICT: its type is not for agents, its
 * state, what it depends on, or it is assigned to a person.
 */
export async function startItem<T extends { readonly task: { readonly task_id: string } }>(
  tx: Tx,
  deps: WorkDeps,
  wanted: Wanted,
  ask: {
    readonly prompt: string | null
    readonly inputs: JsonObject
    readonly create: (task: AskedTask) => Promise<T>
  },
  caller: Caller,
): Promise<{ readonly made: T; readonly lastSeq: number }> {
  const { row, type } = await lockedItem(tx, wanted, caller)
  if (type.byAgents === undefined) throw fail('SW_CONFLICT', `a ${type.name} is nothing that an agent does`)
  if (row.task_id !== null) throw fail('SW_CONFLICT', `${row.name} is being done already: task ${row.task_id}`)
  const { running } = type.byAgents
  await assertMove(tx, row, type, running)
  const assignee = row.assignee ?? (await chosenAgent(tx, deps, row.namespace, row.required_capabilities))
  const { namespace, name } = AGENT.exec(assignee)?.groups ?? {}
  if (namespace !== row.namespace || name === undefined)
    throw fail('SW_CONFLICT', `${row.name} is assigned to ${assignee}, which is no agent of namespace ${row.namespace}`)
  const inputs = { ...row.fields, ...ask.inputs, work_item: row.name }
  const made = await ask.create({ namespace, agent: name, prompt: ask.prompt ?? promptOf(row), inputs })
  const at = deps.store.clock.now()
  const next = { assignee, state: running, phase: type.states[running]!.phase, task_id: made.task.task_id }
  await updateWorkItem(tx, row, next, at)
  const moved = { from: row.state, to: running, reason: `task ${made.task.task_id}` }
  const events = [workEvent('moved', { ...row, ...next }, caller, at, moved)]
  if (assignee !== row.assignee) {
    const capabilities = [...row.required_capabilities]
    events.unshift(workEvent('assigned', { ...row, assignee }, caller, at, { from: row.assignee, capabilities }))
  }
  return { made, lastSeq: (await appendEvents(tx, deps.store, events)).lastSeq }
}

function promptOf({ title, description, fields }: WorkItemRow): string {
  const acceptance = typeof fields['acceptance'] === 'string' ? `Done when: ${fields['acceptance']}` : ''
  return [title, description, acceptance].filter((part) => part !== '').join('\n\n')
}
