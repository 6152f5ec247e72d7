import Type, { type Static } from 'typebox'
import type { JsonObject } from '../../../lib/json.ts'
import { mergePatch } from '../../../lib/merge-patch.ts'
import type { Tx } from '../../../store/database.ts'
import { assignItem, changeItem, moveItem, type Wanted } from '../../../work/change-item.ts'
import { ITEM_STATES } from '../../../work/item-types.ts'
import type { Caller as WorkCaller, WorkDeps } from '../../../work/ports.ts'
import type { ApiContext } from '../../context.ts'
import { type Call, route } from '../../http/route.ts'
import { JsonMap, Name, Nullable, only, Reference } from '../schemas.ts'
import { findItem, ITEM_REFERENCE, itemAfter, workCaller, workDeps } from './find-item.ts'
import {
  Assignee,
  Capabilities,
  Description,
  itemDto,
  Priority,
  sampleItem,
  Title,
  Version,
  WorkItem,
} from './item-dto.ts'
import { ItemParams, Scope } from './read-item.ts'

export type ItemCall<Body> = Call<Static<typeof ItemParams>, Static<typeof Scope>, Body>

/** What every change of an item has in common: it is found, changed in this transaction, and answered as it is then. */
export async function changing<Body>(
  tx: Tx,
  call: ItemCall<Body>,
  context: ApiContext,
  version: number | undefined,
  change: (deps: WorkDeps, wanted: Wanted, caller: WorkCaller, namespace: string) => Promise<number | null>,
) {
  const item = await findItem(tx, call.params.item, call.query.namespace ?? null)
  const wanted = { itemId: item.item_id, version: version ?? null }
  const lastSeq = await change(workDeps(context), wanted, workCaller(call.caller, call.principal), item.namespace)
  if (lastSeq !== null) call.committed(() => context.nudge(lastSeq))
  return itemDto(await itemAfter(tx, item.item_id))
}

const ITEM = { params: { item: 'ticket-k3q9zt' }, answer: sampleItem() }

export const changeWorkItem = route({
  operation: 'changeWorkItem',
  method: 'PATCH',
  path: '/api/v1/work-items/{item}',
  aliases: ['/work-items/{item}'],
  tag: 'work',
  access: 'work.write',
  summary: 'Change what an item says',
  description: `Only what is given is changed; \`fields\` is merged, null removes one. ${ITEM_REFERENCE}`,
  params: ItemParams,
  query: Scope,
  body: only(
    {
      title: Type.Optional(Title),
      description: Type.Optional(Description),
      priority: Type.Optional(Priority),
      project: Type.Optional(Nullable(Name)),
      parent: Type.Optional(Nullable(Reference)),
      required_capabilities: Type.Optional(Capabilities),
      fields: Type.Optional(JsonMap),
      version: Type.Optional(Version),
    },
    { title: 'WorkItemChange' },
  ),
  answers: { 200: WorkItem },
  example: { ...ITEM, body: { priority: 10, fields: { severity: 'critical' } } },
  transact: (tx, call, context) => {
    const { version, fields, parent, ...plain } = call.body
    return changing(tx, call, context, version, async (deps, wanted, caller, namespace) => {
      const above = parent == null ? parent : await findItem(tx, parent, namespace)
      const change = {
        ...plain,
        ...(above === undefined ? {} : { parent: above }),
        ...(fields === undefined ? {} : { fields: (before: JsonObject) => mergePatch(before, fields) as JsonObject }),
      }
      return changeItem(tx, deps, wanted, change, caller)
    })
  },
})

export const moveWorkItem = route({
  operation: 'moveWorkItem',
  method: 'POST',
  path: '/api/v1/work-items/{item}/move',
  aliases: ['/work-items/{item}/move'],
  tag: 'work',
  access: 'work.write',
  summary: 'Move an item to another state',
  description: `409 when its type does not know that move, or when something it depends on is not done. ${ITEM_REFERENCE}`,
  params: ItemParams,
  query: Scope,
  body: only(
    {
      state: Type.Enum([...ITEM_STATES]),
      reason: Type.Optional(Type.String({ maxLength: 1000 })),
      version: Type.Optional(Version),
    },
    { title: 'WorkItemMove' },
  ),
  answers: { 200: WorkItem },
  example: { params: ITEM.params, body: { state: 'in_progress' }, answer: sampleItem('ticket', 'in_progress') },
  transact: (tx, call, context) => {
    const { state, reason = null, version } = call.body
    return changing(tx, call, context, version, (deps, wanted, caller) =>
      moveItem(tx, deps, wanted, { state, reason }, caller),
    )
  },
})

export const assignWorkItem = route({
  operation: 'assignWorkItem',
  method: 'POST',
  path: '/api/v1/work-items/{item}/assign',
  aliases: ['/work-items/{item}/assign'],
  tag: 'work',
  access: 'work.write',
  summary: 'Give an item to somebody',
  description: `With \`assignee\` to that agent or person, null = to nobody. Without it, to the agent that has the capabilities the item requires (and those given here) and the fewest open items. ${ITEM_REFERENCE}`,
  params: ItemParams,
  query: Scope,
  body: only(
    {
      assignee: Type.Optional(Nullable(Assignee)),
      capabilities: Type.Optional(Capabilities),
      version: Type.Optional(Version),
    },
    { title: 'WorkItemAssignment' },
  ),
  answers: { 200: WorkItem },
  example: {
    params: ITEM.params,
    body: { capabilities: ['alerts'] },
    answer: { ...sampleItem('ticket', 'in_progress'), assignee: 'agent:default/sre' },
  },
  transact: (tx, call, context) => {
    const { assignee, capabilities = [], version } = call.body
    const to = assignee === undefined ? { choose: capabilities } : { assignee }
    return changing(tx, call, context, version, (deps, wanted, caller) => assignItem(tx, deps, wanted, to, caller))
  },
})
