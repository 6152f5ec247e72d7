import type { Condition } from '../../kinds/conditions.ts'
import { API_VERSION } from '../../kinds/definition.ts'
import { WORK_ITEM } from '../../kinds/record-kinds.ts'
import type { ObjectView } from '../../kinds/resource.ts'
import { fail } from '../../lib/error-catalogue.ts'
import {
  pageWorkItemsByName,
  type WorkItemView,
  workItemsById,
  workItemsByReference,
} from '../../store/queries/work-items.ts'
import type { ServedResource } from './served-resource.ts'

const SHORTEST_PREFIX = 4

/** Items of the work graph in the envelope of declared objects. An item is found by a unique beginning, too. */
export const workItemResource: ServedResource = {
  ...WORK_ITEM,
  page: async (sql, page) => (await pageWorkItemsByName(sql, page)).map(itemView),
  fixed: async () => [],
  async find(sql, namespace, name) {
    const found = await workItemsByReference(sql, { text: name, namespace, limit: 2 })
    const exact = found.find((item) => item.exact)
    if (exact !== undefined) return itemView(exact)
    return found.length === 1 && name.length >= SHORTEST_PREFIX ? itemView(found[0]!) : null
  },
  byId: async (sql, ids) => (await workItemsById(sql, ids)).map(itemView),
  subjectOf: ({ resource, event_name: name }) =>
    resource?.type === 'WorkItem'
      ? { id: resource.id, change: name === 'stateward.work.created' ? 'created' : 'changed' }
      : null,
  lastView: (event) => {
    throw fail('SW_INTERNAL', `event ${event.event_name} does not delete a work item`)
  },
  withLive: async (views) => views,
}

function itemView(item: WorkItemView): ObjectView {
  return {
    apiVersion: API_VERSION,
    kind: 'WorkItem',
    metadata: {
      name: item.name,
      namespace: item.namespace,
      uid: item.item_id,
      generation: item.version,
      resourceVersion: String(item.seq),
      creationTimestamp: item.created_at.toISOString(),
      labels: {
        'stateward.dev/work-type': item.type,
        ...(item.project === null ? {} : { 'stateward.dev/project': item.project }),
      },
    },
    spec: {
      type: item.type,
      title: item.title,
      ...(item.description === '' ? {} : { description: item.description }),
      ...(item.project === null ? {} : { projectRef: { name: item.project } }),
      ...(item.parent === null ? {} : { parentRef: { name: item.parent } }),
      ...(item.assignee === null ? {} : { assignee: item.assignee }),
      requiredCapabilities: [...item.required_capabilities],
      priority: item.priority,
      fields: item.fields,
    },
    status: {
      observedGeneration: item.version,
      state: item.state,
      phase: item.phase,
      actor: item.created_by,
      correlationId: item.correlation_id,
      parts: { total: item.parts_total, done: item.parts_done },
      ...(item.waits_for.length === 0 ? {} : { waitsFor: [...item.waits_for] }),
      ...(item.closed_at === null ? {} : { completionTime: item.closed_at.toISOString() }),
      conditions: [succeeded(item)],
    },
  }
}

/** Condition `Succeeded`: Unknown while there is work left, then True or False. */
function succeeded(item: WorkItemView): Condition {
  const base = {
    type: 'Succeeded',
    observedGeneration: item.version,
    lastTransitionTime: (item.closed_at ?? item.created_at).toISOString(),
  }
  if (item.phase === 'done') return { ...base, status: 'True', reason: 'Succeeded', message: `it is ${item.state}` }
  if (item.phase === 'dropped') return { ...base, status: 'False', reason: 'Stopped', message: `it is ${item.state}` }
  const message = item.waits_for.length === 0 ? `it is ${item.state}` : `waits for ${item.waits_for.join(', ')}`
  return { ...base, status: 'Unknown', reason: 'Progressing', message }
}
