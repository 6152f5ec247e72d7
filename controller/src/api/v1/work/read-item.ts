import Type from 'typebox'
import { edgesOf } from '../../../store/queries/work-edges.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { NamespaceQuery, only, Reference } from '../schemas.ts'
import { findItem, ITEM_REFERENCE } from './find-item.ts'
import { edgeDto, itemDto, sampleItem, WorkEdge, WorkItem } from './item-dto.ts'

export const ItemParams = Type.Object({ item: Reference })
export const Scope = only(NamespaceQuery)

export const readWorkItem = route({
  operation: 'readWorkItem',
  method: 'GET',
  path: '/api/v1/work-items/{item}',
  aliases: ['/work-items/{item}'],
  tag: 'work',
  access: 'read',
  summary: 'Read an item of the work graph and how it relates to others',
  description: ITEM_REFERENCE,
  params: ItemParams,
  query: Scope,
  answers: {
    200: Type.Object(
      { item: WorkItem, edges: Type.Array(WorkEdge), correlation_id: Type.String() },
      { title: 'WorkItemDetail' },
    ),
  },
  example: {
    params: { item: 'ticket-k3q9zt' },
    answer: {
      item: sampleItem(),
      edges: [
        {
          direction: 'out',
          relation: 'caused_by',
          kind: 'Run',
          id: SAMPLE.run,
          name: 'checkmk-auto-remediate-k3q9zt',
          state: 'failed',
        },
      ],
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ params, query, correlationId }, { store: { reader } }) {
    const item = await findItem(reader, params.item, query.namespace ?? null)
    const edges = await edgesOf(reader, item.item_id)
    return { item: itemDto(item), edges: edges.map(edgeDto), correlation_id: correlationId }
  },
})
