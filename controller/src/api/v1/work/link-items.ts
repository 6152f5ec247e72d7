import Type from 'typebox'
import type { Tx } from '../../../store/database.ts'
import { RELATION_NAMES } from '../../../work/item-types.ts'
import { type LinkTarget, linkItem, unlinkItem } from '../../../work/link-items.ts'
import { route } from '../../http/route.ts'
import { findRun } from '../find-run.ts'
import { only, Reference } from '../schemas.ts'
import { changing } from './change-item.ts'
import { findItem, ITEM_REFERENCE } from './find-item.ts'
import { sampleItem, WorkItem } from './item-dto.ts'
import { ItemParams, Scope } from './read-item.ts'

const RelationName = Type.Enum([...RELATION_NAMES])
const TargetKind = Type.Enum(['WorkItem', 'Run'], { default: 'WorkItem' })
const Edge = only({ relation: RelationName, to: Reference, kind: TargetKind }, { title: 'WorkItemLink' })

async function targetOf(tx: Tx, kind: 'WorkItem' | 'Run', text: string, namespace: string): Promise<LinkTarget> {
  if (kind === 'Run') {
    const run = await findRun(tx, text, namespace)
    return { kind, id: run.run_id, name: run.name, namespace: run.namespace, type: null }
  }
  const item = await findItem(tx, text, namespace)
  return { kind, id: item.item_id, name: item.name, namespace: item.namespace, type: item.type }
}

const EXAMPLE = {
  params: { item: 'task-a2b3c4' },
  body: { relation: 'depends_on', to: 'task-k3q9zt', kind: 'WorkItem' },
}

export const linkWorkItem = route({
  operation: 'linkWorkItem',
  method: 'POST',
  path: '/api/v1/work-items/{item}/links',
  aliases: ['/work-items/{item}/links'],
  tag: 'work',
  access: 'work.write',
  summary: 'Relate an item to another item or to a run',
  description: `The same again changes nothing. 409 when dependencies would form a circle. ${ITEM_REFERENCE}`,
  idempotency: false,
  params: ItemParams,
  query: Scope,
  body: Edge,
  answers: { 200: WorkItem },
  example: { ...EXAMPLE, answer: { ...sampleItem('task', 'todo', {}), waits_for: ['task-k3q9zt'] } },
  transact: (tx, call, context) =>
    changing(tx, call, context, undefined, async (deps, wanted, caller, namespace) => {
      const { relation, to, kind } = call.body
      return linkItem(tx, deps, wanted, { relation, to: await targetOf(tx, kind, to, namespace) }, caller)
    }),
})

export const unlinkWorkItem = route({
  operation: 'unlinkWorkItem',
  method: 'POST',
  path: '/api/v1/work-items/{item}/unlink',
  aliases: ['/work-items/{item}/unlink'],
  tag: 'work',
  access: 'work.write',
  summary: 'End a relation of an item',
  description: `404 when there is no such relation. ${ITEM_REFERENCE}`,
  params: ItemParams,
  query: Scope,
  body: Edge,
  answers: { 200: WorkItem },
  example: { ...EXAMPLE, answer: sampleItem('task', 'todo', {}) },
  transact: (tx, call, context) =>
    changing(tx, call, context, undefined, async (deps, wanted, caller, namespace) => {
      const { relation, to, kind } = call.body
      return unlinkItem(tx, deps, wanted, { relation, to: await targetOf(tx, kind, to, namespace) }, caller)
    }),
})
