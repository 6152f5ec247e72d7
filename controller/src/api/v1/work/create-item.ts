import Type, { type Static } from 'typebox'
import type { JsonObject } from '../../../lib/json.ts'
import type { Tx } from '../../../store/database.ts'
import { createItem } from '../../../work/create-item.ts'
import { firstState, type ItemType } from '../../../work/item-type.ts'
import type { ApiContext } from '../../context.ts'
import { type Call, type Route, route } from '../../http/route.ts'
import { JsonMap, Name, only, Reference } from '../schemas.ts'
import { findItem, itemAfter, workCaller, workDeps } from './find-item.ts'
import {
  Assignee,
  Capabilities,
  Description,
  ItemTypeName,
  itemDto,
  Priority,
  sampleItem,
  Title,
  WorkItem,
} from './item-dto.ts'
import { operationWord, wordsOf } from './list-items.ts'

const Common = {
  title: Title,
  description: Type.Optional(Description),
  namespace: Type.Optional(Name),
  project: Type.Optional(Name),
  parent: Type.Optional(Reference),
  assignee: Type.Optional(Assignee),
  required_capabilities: Type.Optional(Capabilities),
  priority: Type.Optional(Priority),
}
const common = only({ ...Common, fields: Type.Optional(JsonMap) })
type NewItemBody = Static<typeof common>

export const createWorkItem = route({
  operation: 'createWorkItem',
  method: 'POST',
  path: '/api/v1/work-items',
  aliases: ['/work-items'],
  tag: 'work',
  access: 'work.write',
  summary: 'Make an item of the work graph',
  description:
    'It begins in the first state of its type. What `fields` a type has, `GET /api/v1/work-item-types` says. An agent may make items of its own namespace, for nobody but itself.',
  body: only({ ...Common, type: ItemTypeName, fields: Type.Optional(JsonMap) }, { title: 'NewWorkItem' }),
  answers: { 201: WorkItem },
  example: {
    body: {
      type: 'ticket',
      title: 'Alerts come twice',
      project: 'platform',
      fields: { kind: 'bug', severity: 'high' },
    },
    answer: sampleItem(),
  },
  transact: (tx, call, context) => create(tx, call, context, call.body.type),
})

/** The same of one type, at the path of its plural; the schema of its fields is part of the document. */
export function createRouteOf(type: ItemType): Route {
  const word = operationWord(type.name)
  return route({
    operation: `create${word}`,
    method: 'POST',
    path: `/api/v1/${type.plural}`,
    aliases: [`/${type.plural}`],
    tag: 'work',
    access: 'work.write',
    summary: `Make ${/^[aeio]/.test(type.name) ? 'an' : 'a'} ${wordsOf(type.name)}`,
    description: type.description,
    body: only({ ...Common, fields: Type.Optional(type.fields) }, { title: `New${word}` }),
    answers: { 201: WorkItem },
    example: { body: { title: 'Alerts come twice' }, answer: sampleItem(type.name, firstState(type), {}) },
    transact: (tx, call, context) => create(tx, call as Call<undefined, undefined, NewItemBody>, context, type.name),
  })
}

async function create(
  tx: Tx,
  { body, caller, principal, committed }: Call<undefined, undefined, NewItemBody>,
  context: ApiContext,
  type: string,
) {
  const who = workCaller(caller, principal)
  const namespace = body.namespace ?? who.agent?.namespace ?? 'default'
  const item = {
    type,
    namespace,
    title: body.title,
    description: body.description ?? '',
    project: body.project ?? null,
    parent: body.parent === undefined ? null : await findItem(tx, body.parent, namespace),
    assignee: body.assignee ?? null,
    required_capabilities: body.required_capabilities ?? [],
    priority: body.priority ?? 0,
    // The body came as JSON, so its members are JSON.
    fields: (body.fields ?? {}) as JsonObject,
  }
  const { itemId, lastSeq } = await createItem(tx, workDeps(context), item, who)
  committed(() => context.nudge(lastSeq))
  return itemDto(await itemAfter(tx, itemId))
}
