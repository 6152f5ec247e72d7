import { fail } from '../lib/error-catalogue.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import { deleteWorkEdge, insertWorkEdge, isReachable, lockWorkGraph } from '../store/queries/work-edges.ts'
import { lockedItem, type Wanted } from './change-item.ts'
import { workEvent } from './events.ts'
import { itemType, type Relation } from './item-types.ts'
import type { Caller, WorkDeps } from './ports.ts'

/** The other end of an edge, already found. */
export interface LinkTarget {
  readonly kind: 'WorkItem' | 'Run'
  readonly id: string
  readonly name: string
  readonly namespace: string
  /** Of an item. */
  readonly type: string | null
}

/**
 * Relates an item to another one or to a run; the work of one transaction. The same again changes nothing and is told to
 * nobody. SW_CONFLICT: a circle of dependencies. SW_VALIDATION_FAILED: a relation that is not for these two.
 */
export async function linkItem(
  tx: Tx,
  deps: WorkDeps,
  wanted: Wanted,
  edge: { readonly relation: Relation; readonly to: LinkTarget },
  caller: Caller,
): Promise<number | null> {
  const { row } = await lockedItem(tx, wanted, caller)
  const { relation, to } = edge
  if (to.id === row.item_id) throw invalid(`${row.name} cannot be related to itself`)
  if (to.namespace !== row.namespace) throw invalid(`${to.name} is in namespace ${to.namespace}`)
  if (relation === 'depends_on') await assertDependency(tx, row.item_id, row.name, to)
  if (relation === 'supersedes' && to.type !== row.type)
    throw invalid(`only another ${itemType(row.type).name} can be superseded`)
  const at = deps.store.clock.now()
  const made = await insertWorkEdge(tx, {
    from_id: row.item_id,
    relation,
    to_kind: to.kind,
    to_id: to.id,
    created_by: caller.actor,
    created_at: at,
  })
  if (!made) return null
  return (await appendEvents(tx, deps.store, [workEvent('linked', row, caller, at, edgeData(edge))])).lastSeq
}

/** The opposite of {@link linkItem}. SW_NOT_FOUND when there is no such edge. */
export async function unlinkItem(
  tx: Tx,
  deps: WorkDeps,
  wanted: Wanted,
  edge: { readonly relation: Relation; readonly to: LinkTarget },
  caller: Caller,
): Promise<number> {
  const { row } = await lockedItem(tx, wanted, caller)
  const gone = await deleteWorkEdge(tx, { from_id: row.item_id, relation: edge.relation, to_id: edge.to.id })
  if (!gone) throw fail('SW_NOT_FOUND', `${row.name} has no edge ${edge.relation} to ${edge.to.name}`)
  const at = deps.store.clock.now()
  return (await appendEvents(tx, deps.store, [workEvent('unlinked', row, caller, at, edgeData(edge))])).lastSeq
}

async function assertDependency(tx: Tx, itemId: string, name: string, to: LinkTarget): Promise<void> {
  if (to.kind !== 'WorkItem') throw invalid('an item depends on items: a run ends by itself')
  await lockWorkGraph(tx)
  if (await isReachable(tx, to.id, 'depends_on', itemId))
    throw fail('SW_CONFLICT', `${to.name} depends on ${name} already: the two would wait for each other for ever`)
}

function edgeData({ relation, to }: { readonly relation: Relation; readonly to: LinkTarget }) {
  return { relation, to_kind: to.kind, to_id: to.id, to: to.name }
}

function invalid(message: string): Error {
  return fail('SW_VALIDATION_FAILED', message, { details: { violations: [{ path: 'body/to', message }] } })
}
