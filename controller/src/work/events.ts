import type { EventName, VerbOf } from '../events/catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { JsonObject } from '../lib/json.ts'
import type { NewEvent } from '../store/ports.ts'
import type { NewWorkItem } from '../store/queries/work-items.ts'
import type { Caller } from './ports.ts'

const AGENT = /^agent:[^/]+\/(?<name>.+)$/

/** An event about an item. `data.agent` is the agent it is assigned to, so that it hears of it. */
export function workEvent(
  verb: VerbOf<'stateward.work'>,
  item: Pick<NewWorkItem, 'item_id' | 'type' | 'namespace' | 'name' | 'title' | 'state' | 'project' | 'assignee'>,
  caller: Caller,
  at: Date,
  data: JsonObject,
): NewEvent {
  const agent = item.assignee === null ? null : (AGENT.exec(item.assignee)?.groups?.['name'] ?? null)
  return {
    event_id: uuidv7(at.getTime()),
    event_name: `stateward.work.${verb}` satisfies EventName,
    occurred_at: at,
    env_id: item.namespace,
    actor: caller.actor,
    correlation_id: caller.correlationId,
    resource: { type: 'WorkItem', id: item.item_id },
    data: {
      namespace: item.namespace,
      name: item.name,
      type: item.type,
      title: item.title,
      state: item.state,
      project: item.project,
      assignee: item.assignee,
      agent,
      ...data,
    },
  }
}
