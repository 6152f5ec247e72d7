import Type, { type Static } from 'typebox'
import type { WorkEdgeView } from '../../../store/queries/work-edges.ts'
import type { WorkItemView } from '../../../store/queries/work-items.ts'
import { PHASES } from '../../../work/item-type.ts'
import { ITEM_TYPE_NAMES } from '../../../work/item-types.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Name, Nullable, Time, Uuid } from '../schemas.ts'

export const Title = Type.String({ minLength: 1, maxLength: 200 })
export const Description = Type.String({ maxLength: 8000 })
export const Priority = Type.Integer({ minimum: -1000, maximum: 1000 })
export const Capabilities = Type.Array(Type.String({ minLength: 1, maxLength: 63 }), {
  maxItems: 50,
  uniqueItems: true,
})
export const Assignee = Type.String({
  maxLength: 200,
  pattern: '^(?:agent:[a-z0-9][-a-z0-9.]*/[a-z0-9][-a-z0-9.]*|user:[A-Za-z0-9][A-Za-z0-9._@+-]*)$',
  description: 'agent:<namespace>/<name> or user:<name>',
})
export const ItemTypeName = Type.Enum([...ITEM_TYPE_NAMES])
export const PhaseName = Type.Enum([...PHASES])
export const Version = Type.Integer({
  minimum: 1,
  maximum: 2_147_483_647,
  description: 'refused with 409 when the item is at another version',
})

export const WorkItem = Type.Object(
  {
    item_id: Uuid,
    type: ItemTypeName,
    namespace: Name,
    name: Name,
    title: Type.String(),
    description: Type.String(),
    state: Type.String(),
    phase: PhaseName,
    project: Nullable(Type.String()),
    parent: Nullable(Type.String({ description: 'name of the item it is part of' })),
    assignee: Nullable(Type.String()),
    required_capabilities: Type.Array(Type.String()),
    task_id: Nullable(Type.String({ description: 'the task that an agent does for it now' })),
    priority: Type.Integer(),
    fields: JsonMap,
    parts: Type.Object(
      { total: Type.Integer(), done: Type.Integer() },
      { description: 'items that are part of it, without those that were given up' },
    ),
    waits_for: Type.Array(Type.String(), { description: 'names of what it depends on that is not done' }),
    version: Type.Integer(),
    created_by: Type.String(),
    created_at: Time,
    updated_at: Time,
    closed_at: Nullable(Time),
    correlation_id: Type.String(),
  },
  { title: 'WorkItem' },
)

export const WorkEdge = Type.Object(
  {
    direction: Type.Enum(['out', 'in']),
    relation: Type.String(),
    kind: Type.Enum(['WorkItem', 'Run']),
    id: Uuid,
    name: Nullable(Type.String()),
    state: Nullable(Type.String()),
  },
  { title: 'WorkEdge' },
)

export function itemDto(row: WorkItemView): Static<typeof WorkItem> {
  return {
    item_id: row.item_id,
    type: row.type,
    namespace: row.namespace,
    name: row.name,
    title: row.title,
    description: row.description,
    state: row.state,
    phase: row.phase as Static<typeof PhaseName>,
    project: row.project,
    parent: row.parent,
    assignee: row.assignee,
    required_capabilities: [...row.required_capabilities],
    task_id: row.task_id,
    priority: row.priority,
    fields: row.fields,
    parts: { total: row.parts_total, done: row.parts_done },
    waits_for: [...row.waits_for],
    version: row.version,
    created_by: row.created_by,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    closed_at: row.closed_at?.toISOString() ?? null,
    correlation_id: row.correlation_id,
  }
}

export function edgeDto({ direction, relation, kind, id, name, state }: WorkEdgeView): Static<typeof WorkEdge> {
  return { direction, relation, kind, id, name, state }
}

/** An item in examples, of any type. */
export function sampleItem(type = 'ticket', state = 'open', fields: object = { kind: 'bug', severity: 'high' }) {
  return {
    item_id: SAMPLE.item,
    type,
    namespace: 'default',
    name: `${type.replaceAll('_', '-')}-k3q9zt`,
    title: 'Alerts come twice',
    description: '',
    state,
    phase: 'open' as const,
    project: 'platform',
    parent: null,
    assignee: null,
    required_capabilities: ['alerts'],
    task_id: null,
    priority: 0,
    fields: { ...fields },
    parts: { total: 2, done: 1 },
    waits_for: [],
    version: 1,
    created_by: 'user:ada',
    created_at: SAMPLE.time,
    updated_at: SAMPLE.time,
    closed_at: null,
    correlation_id: SAMPLE.correlation,
  }
}
