import Type, { type Static } from 'typebox'
import { pageWorkItems } from '../../../store/queries/work-items.ts'
import type { ItemType } from '../../../work/item-type.ts'
import { firstState } from '../../../work/item-type.ts'
import { ITEM_STATES } from '../../../work/item-types.ts'
import type { ApiContext } from '../../context.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { type Route, route } from '../../http/route.ts'
import { samplePage } from '../samples.ts'
import { Name, NamespaceQuery, only, PageQuery, pageOf, Reference } from '../schemas.ts'
import { findItem } from './find-item.ts'
import { Assignee, ItemTypeName, itemDto, PhaseName, sampleItem, WorkItem } from './item-dto.ts'

const Filters = {
  ...PageQuery,
  ...NamespaceQuery,
  phase: Type.Optional(PhaseName),
  project: Type.Optional(Name),
  parent: Type.Optional(Reference),
  assignee: Type.Optional(Assignee),
  capability: Type.Optional(Type.String({ minLength: 1, maxLength: 63, description: 'that it requires' })),
  ready: Type.Boolean({ default: false, description: 'only what is open and waits for no other item' }),
}
const filters = only({ ...Filters, state: Type.Optional(Type.Enum([...ITEM_STATES])) })

export const listWorkItems = route({
  operation: 'listWorkItems',
  method: 'GET',
  path: '/api/v1/work-items',
  aliases: ['/work-items'],
  tag: 'work',
  access: 'read',
  summary: 'List items of the work graph, the newest first',
  query: only({
    ...Filters,
    type: Type.Optional(ItemTypeName),
    state: Type.Optional(Type.Enum([...ITEM_STATES])),
  }),
  answers: { 200: pageOf(WorkItem) },
  example: { query: { phase: 'open', ready: true }, answer: samplePage(sampleItem()) },
  answer: ({ query, correlationId }, context) => pageOfItems(context, query, query.type ?? null, correlationId),
})

/** The same of one type, at the path of its plural. */
export function listRouteOf(type: ItemType): Route {
  const state = Type.Optional(Type.Enum(Object.keys(type.states)))
  return route({
    operation: `list${operationWord(type.plural)}`,
    method: 'GET',
    path: `/api/v1/${type.plural}`,
    aliases: [`/${type.plural}`],
    tag: 'work',
    access: 'read',
    summary: `List ${wordsOf(type.plural)}, the newest first`,
    description: type.description,
    query: only({ ...Filters, state }),
    answers: { 200: pageOf(WorkItem) },
    example: {
      query: { state: firstState(type) },
      answer: samplePage({ ...sampleItem(type.name, firstState(type), {}) }),
    },
    answer: ({ query, correlationId }, context) => pageOfItems(context, query, type.name, correlationId),
  })
}

async function pageOfItems(
  context: ApiContext,
  query: Static<typeof filters>,
  type: string | null,
  correlationId: string,
) {
  const { reader } = context.store
  const namespace = query.namespace ?? null
  const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
  const rows = await pageWorkItems(reader, {
    namespace,
    type,
    state: query.state ?? null,
    phase: query.phase ?? null,
    project: query.project ?? null,
    parentId: query.parent === undefined ? null : (await findItem(reader, query.parent, namespace)).item_id,
    assignee: query.assignee ?? null,
    capability: query.capability ?? null,
    isReady: query.ready,
    after: position === null ? null : { createdAt: position[0], id: position[1] },
    limit: query.limit + 1,
  })
  return pageBody(
    rows,
    { limit: query.limit, correlationId },
    ({ created_at, item_id }) => [created_at, item_id],
    itemDto,
  )
}

/** `human-decisions` → `HumanDecisions` */
export function operationWord(text: string): string {
  return text
    .split(/[-_]/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('')
}

export function wordsOf(text: string): string {
  return text.replaceAll(/[-_]/g, ' ')
}
