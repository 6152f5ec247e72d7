import { fail } from '../lib/error-catalogue.ts'
import type { JsonObject } from '../lib/json.ts'
import { schemaViolations } from '../lib/json-schema.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import { isPartOf, lockWorkGraph, unfinishedDependencies } from '../store/queries/work-edges.ts'
import {
  lockWorkItem,
  openItemsOf,
  updateWorkItem,
  type WorkItemChange,
  type WorkItemRow,
} from '../store/queries/work-items.ts'
import { workEvent } from './events.ts'
import { firstState, type ItemType, moveProblem, parentProblem } from './item-type.ts'
import { itemType } from './item-types.ts'
import type { Caller, WorkDeps } from './ports.ts'

/**
 * How items change. Every function is the work of one transaction: the row locked, what is asked checked against the type,
 * row and event written. They return the number of the last event.
 */

/** An item as it is asked for by a change; `version` null = whichever there is. */
export interface Wanted {
  readonly itemId: string
  readonly version: number | null
}

/** Another item, already found. */
export interface ParentItem {
  readonly item_id: string
  readonly type: string
  readonly namespace: string
  readonly name: string
}

export interface ItemChange {
  readonly title?: string
  readonly description?: string
  readonly priority?: number
  readonly project?: string | null
  readonly required_capabilities?: readonly string[]
  /** All of them, as they are to be. */
  readonly fields?: (before: JsonObject) => JsonObject
  /** null = part of nothing. */
  readonly parent?: ParentItem | null
}

export async function changeItem(
  tx: Tx,
  deps: WorkDeps,
  wanted: Wanted,
  change: ItemChange,
  caller: Caller,
): Promise<number> {
  const { row, type } = await lockedItem(tx, wanted, caller)
  if (type.isRecord && (change.title ?? change.description ?? change.fields) !== undefined)
    throw fail('SW_CONFLICT', `${row.name} is a ${type.name}: what it says stays`, {
      remedy: `make another one and link it: stateward work link <new> supersedes ${row.name}`,
    })
  const { fields, parent, ...plain } = change
  if (plain.project !== undefined) assertProject(deps, row.namespace, plain.project)
  const next: WorkItemChange = {
    ...plain,
    ...(fields === undefined ? {} : { fields: checkedFields(type, fields(row.fields)) }),
    ...(parent === undefined ? {} : { parent_id: parent?.item_id ?? null }),
  }
  if (parent !== undefined && parent !== null)
    await assertParent(tx, { type, namespace: row.namespace, itemId: row.item_id }, parent)
  const at = deps.store.clock.now()
  await updateWorkItem(tx, row, next, at)
  const { parent_id: _id, ...told } = next
  const changed = { ...told, ...(parent === undefined ? {} : { parent: parent?.name ?? null }) } as JsonObject
  const event = workEvent('changed', { ...row, ...next }, caller, at, { changed })
  return (await appendEvents(tx, deps.store, [event])).lastSeq
}

export async function moveItem(
  tx: Tx,
  deps: WorkDeps,
  wanted: Wanted,
  move: { readonly state: string; readonly reason: string | null },
  caller: Caller,
): Promise<number> {
  const { row, type } = await lockedItem(tx, wanted, caller)
  await assertMove(tx, row, type, move.state)
  const at = deps.store.clock.now()
  const next = { state: move.state, phase: type.states[move.state]!.phase }
  await updateWorkItem(tx, row, next, at)
  const data = { from: row.state, to: move.state, reason: move.reason }
  return (await appendEvents(tx, deps.store, [workEvent('moved', { ...row, ...next }, caller, at, data)])).lastSeq
}

/** SW_CONFLICT: its type does not know that move, or something it depends on is not done. */
export async function assertMove(tx: Tx, row: WorkItemRow, type: ItemType, to: string): Promise<void> {
  const problem = moveProblem(type, row.state, to)
  if (problem !== null)
    throw fail('SW_CONFLICT', `${row.name} cannot move: ${problem}`, {
      details: { state: row.state, to: [...type.states[row.state]!.to] },
    })
  if (type.states[to]!.needsDependencies !== true) return
  const waitsFor = await unfinishedDependencies(tx, row.item_id)
  if (waitsFor.length > 0)
    throw fail('SW_CONFLICT', `${row.name} waits for ${waitsFor.join(', ')}`, { details: { waits_for: waitsFor } })
}

/** To whom: somebody by name, nobody (null), or (`choose`) the agent with the capabilities that has the least to do. */
export type AssignTo = { readonly assignee: string | null } | { readonly choose: readonly string[] }

export async function assignItem(
  tx: Tx,
  deps: WorkDeps,
  wanted: Wanted,
  to: AssignTo,
  caller: Caller,
): Promise<number> {
  const { row, type } = await lockedItem(tx, wanted, caller)
  if (row.phase !== 'open') throw fail('SW_CONFLICT', `${row.name} is ${row.state}: there is nothing to do for anybody`)
  const capabilities = 'choose' in to ? [...new Set([...row.required_capabilities, ...to.choose])] : []
  const assignee = 'choose' in to ? await chosenAgent(tx, deps, row.namespace, capabilities) : to.assignee
  if (assignee !== null && !('choose' in to)) assertAgent(deps, assignee)
  const onAssign = assignee === null ? undefined : type.states[row.state]!.onAssign
  const started = row.state === firstState(type) && onAssign !== undefined ? onAssign : row.state
  // What waits for something else is not begun by giving it to somebody.
  const waits =
    type.states[started]!.needsDependencies === true && (await unfinishedDependencies(tx, row.item_id)).length > 0
  const state = waits ? row.state : started
  const at = deps.store.clock.now()
  const next = { assignee, state, phase: type.states[state]!.phase }
  await updateWorkItem(tx, row, next, at)
  const events = [workEvent('assigned', { ...row, assignee }, caller, at, { from: row.assignee, capabilities })]
  if (state !== row.state)
    events.push(workEvent('moved', { ...row, ...next }, caller, at, { from: row.state, to: state, reason: 'assigned' }))
  return (await appendEvents(tx, deps.store, events)).lastSeq
}

/** The agent with these capabilities that has the fewest open items. SW_CONFLICT when there is none. */
export async function chosenAgent(
  tx: Tx,
  deps: WorkDeps,
  namespace: string,
  capabilities: readonly string[],
): Promise<string> {
  const able = deps.agentsWith(namespace, capabilities).map((name) => `agent:${namespace}/${name}`)
  if (able.length === 0)
    throw fail(
      'SW_CONFLICT',
      capabilities.length === 0
        ? `no agent in namespace ${namespace} could take it`
        : `no agent in namespace ${namespace} has the capabilities ${capabilities.join(', ')}`,
      {
        remedy: 'declare an agent with these spec.capabilities, or name who is to do it',
        details: { required_capabilities: [...capabilities] },
      },
    )
  const busy = await openItemsOf(tx, able)
  return able.toSorted((a, b) => (busy.get(a) ?? 0) - (busy.get(b) ?? 0) || (a < b ? -1 : 1))[0]!
}

/** Locks an item for a caller who may change it. SW_NOT_FOUND, SW_FORBIDDEN, SW_CONFLICT when the version moved on. */
export async function lockedItem(
  tx: Tx,
  { itemId, version }: Wanted,
  caller: Caller,
): Promise<{ readonly row: WorkItemRow; readonly type: ItemType }> {
  const row = await lockWorkItem(tx, itemId)
  if (row === null) throw fail('SW_NOT_FOUND', `there is no work item ${itemId}`)
  if (caller.agent !== null && row.assignee !== caller.actor && row.created_by !== caller.actor)
    throw fail('SW_FORBIDDEN', `${caller.actor} may change only what it made or is assigned to`)
  if (version !== null && version !== row.version)
    throw fail('SW_CONFLICT', `${row.name} is at version ${row.version}, not ${version}`, {
      details: { version: row.version },
    })
  return { row, type: itemType(row.type) }
}

export function checkedFields(type: ItemType, fields: JsonObject): JsonObject {
  const violations = schemaViolations(type.fields as unknown as JsonObject, fields)
  if (violations.length === 0) return fields
  const [first] = violations
  throw fail('SW_VALIDATION_FAILED', `body/fields${first!.pointer} ${first!.message}`, {
    remedy: `a ${type.name} has the fields ${Object.keys(type.fields.properties).join(', ')}`,
    details: { violations: violations.map(({ pointer, message }) => ({ path: `body/fields${pointer}`, message })) },
  })
}

export function assertProject(deps: WorkDeps, namespace: string, project: string | null): void {
  if (project !== null && !deps.hasProject(namespace, project))
    throw invalid('project', `there is no project "${project}" in namespace ${namespace}`)
}

/** People are not declared; agents are. */
export function assertAgent(deps: WorkDeps, assignee: string): void {
  const [, namespace, name] = /^agent:([^/]+)\/(.+)$/.exec(assignee) ?? []
  if (namespace !== undefined && !deps.hasAgent(namespace, name!))
    throw invalid('assignee', `there is no agent "${name}" in namespace ${namespace}`)
}

/** `itemId` null = the item is not there yet. Parents are changed one after the other, so that no circle is closed. */
export async function assertParent(
  tx: Tx,
  item: { readonly type: ItemType; readonly namespace: string; readonly itemId: string | null },
  parent: ParentItem,
): Promise<void> {
  if (parent.namespace !== item.namespace) throw invalid('parent', `${parent.name} is in namespace ${parent.namespace}`)
  const problem = parentProblem(item.type, itemType(parent.type))
  if (problem !== null) throw invalid('parent', problem)
  if (item.itemId === null) return
  await lockWorkGraph(tx)
  if (await isPartOf(tx, parent.item_id, item.itemId)) throw invalid('parent', `${parent.name} is part of it already`)
}

function invalid(field: string, message: string): Error {
  return fail('SW_VALIDATION_FAILED', message, { details: { violations: [{ path: `body/${field}`, message }] } })
}
