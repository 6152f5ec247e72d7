import Type from 'typebox'
import { ITEM_TYPES, RELATIONS } from '../../../work/item-types.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap } from '../schemas.ts'
import { PhaseName } from './item-dto.ts'

const ItemTypeDto = Type.Object(
  {
    type: Type.String(),
    plural: Type.String(),
    description: Type.String(),
    states: Type.Array(
      Type.Object({
        state: Type.String(),
        phase: PhaseName,
        to: Type.Array(Type.String(), { description: 'states it may move to from here' }),
        needs_dependencies: Type.Boolean({ description: 'entered only when everything it depends on is done' }),
      }),
    ),
    parents: Type.Array(Type.String(), { description: 'types of items it may be part of' }),
    fields: Type.Unsafe<object>({ ...JsonMap, description: 'JSON Schema of `fields`' }),
    record: Type.Boolean({ description: 'what it says is never changed' }),
    agents: Type.Boolean({ description: 'agents may make such items' }),
  },
  { title: 'WorkItemType' },
)

const items = ITEM_TYPES.map((type) => ({
  type: type.name,
  plural: type.plural,
  description: type.description,
  states: Object.entries(type.states).map(([state, { phase, to, needsDependencies }]) => ({
    state,
    phase,
    to: [...to],
    needs_dependencies: needsDependencies === true,
  })),
  parents: [...type.parents],
  fields: type.fields as object,
  record: type.isRecord,
  agents: type.isForAgents,
}))
const relations = Object.entries(RELATIONS).map(([relation, description]) => ({ relation, description }))

export const listWorkItemTypes = route({
  operation: 'listWorkItemTypes',
  method: 'GET',
  path: '/api/v1/work-item-types',
  aliases: ['/work-item-types'],
  tag: 'work',
  access: 'read',
  summary: 'List the types of work items, their states, and how items relate',
  answers: {
    200: Type.Object(
      {
        items: Type.Array(ItemTypeDto),
        relations: Type.Array(Type.Object({ relation: Type.String(), description: Type.String() })),
        correlation_id: Type.String(),
      },
      { title: 'WorkItemTypes' },
    ),
  },
  example: {
    answer: { items: items.slice(0, 1), relations: relations.slice(0, 1), correlation_id: SAMPLE.correlation },
  },
  answer: async ({ correlationId }) => ({ items, relations, correlation_id: correlationId }),
})
