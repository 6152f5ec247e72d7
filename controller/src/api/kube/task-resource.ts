import { API_VERSION } from '../../kinds/definition.ts'
import { TASK } from '../../kinds/record-kinds.ts'
import type { ObjectView } from '../../kinds/resource.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { isUuid } from '../../lib/ids.ts'
import type { TaskRow } from '../../store/queries/tasks.ts'
import { pageTasksById, tasksById } from '../../store/queries/tasks-read.ts'
import type { ServedResource } from './served-resource.ts'

const NOUN = 'stateward.task.'
const CREATED = 'stateward.task.created'

/**
 * Tasks in the same envelope as declared objects, from their own table; the name is the id. `all` does not mean them: there
 * are as many as was ever asked for. A row has no version of its own, so each carries 0, and a watch goes by the log.
 */
export const taskResource: ServedResource = {
  ...TASK,
  isInfrastructure: true,
  async page(sql, { namespace, name, after, limit }) {
    const behind = after === null ? null : { namespace: after.namespace, id: after.name }
    return (await pageTasksById(sql, { namespace, id: name, after: behind, limit })).map(taskView)
  },
  fixed: async () => [],
  async find(sql, namespace, name) {
    const [task] = isUuid(name) ? await tasksById(sql, [name]) : []
    return task === undefined || task.namespace !== namespace ? null : taskView(task)
  },
  byId: async (sql, ids) => (await tasksById(sql, ids)).map(taskView),
  subjectOf({ event_name, data }) {
    if (!event_name.startsWith(NOUN)) return null
    return { id: String(data['task_id']), change: event_name === CREATED ? 'created' : 'changed' }
  },
  lastView: (event) => {
    throw fail('SW_INTERNAL', `event ${event.event_name} does not delete a task`)
  },
  withLive: async (views) => views,
}

function taskView(task: TaskRow): ObjectView {
  const { error, parts_total: total } = task
  return {
    apiVersion: API_VERSION,
    kind: 'Task',
    metadata: {
      name: task.task_id,
      namespace: task.namespace,
      uid: task.task_id,
      generation: 1,
      resourceVersion: '0',
      creationTimestamp: task.created_at.toISOString(),
      labels: { 'stateward.dev/agent': task.agent },
    },
    spec: {
      agentRef: { name: task.agent },
      prompt: task.prompt,
      inputs: task.inputs,
      maxAttempts: task.max_attempts,
      ...(task.deadline === null ? {} : { deadline: task.deadline.toISOString() }),
      ...(task.parent_task === null ? {} : { parentRef: { name: task.parent_task } }),
      ...(task.run_id === null ? {} : { runId: task.run_id, step: task.path }),
    },
    status: {
      phase: task.status,
      attempt: task.attempt,
      actor: task.created_by,
      correlationId: task.correlation_id,
      ...(task.instance_id === null ? {} : { instance: task.instance_id }),
      ...(task.leased_at === null ? {} : { startTime: task.leased_at.toISOString() }),
      ...(task.completed_at === null ? {} : { completionTime: task.completed_at.toISOString() }),
      ...(task.output === null ? {} : { output: task.output }),
      ...(error === null ? {} : { error: { ...error } }),
      ...(total === 0 ? {} : { parts: { done: task.parts_done, total, failed: task.parts_failed } }),
      ...(total === 0 ? {} : { progress: `${task.parts_done}/${total}` }),
    },
  }
}
