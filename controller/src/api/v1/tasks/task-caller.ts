import { fail } from '../../../lib/error-catalogue.ts'
import { isUuid } from '../../../lib/ids.ts'
import { type TaskRow, taskById } from '../../../store/queries/tasks.ts'
import { tasksByPrefix } from '../../../store/queries/tasks-read.ts'
import type { Principal } from '../../auth/principal.ts'
import type { Caller } from '../../caller.ts'
import type { ApiContext } from '../../context.ts'
import type { TaskCaller } from '../../ports/tasks.ts'

export function callerOfTask(principal: Principal, { actor, correlationId }: Caller): TaskCaller {
  return { actor, correlationId, instanceId: principal.type === 'agent' ? principal.instanceId : null }
}

const SHORTEST_PREFIX = 4
const PREFIX = /^[0-9a-f]{4,8}(-[0-9a-f]{0,4}){0,3}(-[0-9a-f]{0,12})?$/

/**
 * The task a reference means: its id, or a beginning of it that is unique. Agents find tasks of their own, and parts of
 * them. Throws SW_NOT_FOUND or SW_AMBIGUOUS.
 */
export async function findTask({ store }: ApiContext, reference: string, principal: Principal): Promise<TaskRow> {
  const text = reference.toLowerCase()
  const found = isUuid(text)
    ? [await taskById(store.reader, text)]
    : text.length >= SHORTEST_PREFIX && PREFIX.test(text)
      ? await tasksByPrefix(store.reader, text, 6)
      : []
  const [task, ...more] = found
  if (task == null || (principal.type === 'agent' && !(await concerns(store.reader, task, principal))))
    throw noTask(reference)
  if (more.length > 0)
    throw fail('SW_AMBIGUOUS', `"${reference}" could be ${found.map((each) => each?.task_id).join(', ')}`)
  return task
}

async function concerns(
  sql: ApiContext['store']['reader'],
  task: TaskRow,
  own: { readonly namespace: string; readonly agent: string },
): Promise<boolean> {
  if (isOf(task, own)) return true
  const parent = task.parent_task === null ? null : await taskById(sql, task.parent_task)
  return parent !== null && isOf(parent, own)
}

export function isOf(task: TaskRow, own: { readonly namespace: string; readonly agent: string }): boolean {
  return task.namespace === own.namespace && task.agent === own.agent
}

export function noTask(reference: string): Error {
  return fail('SW_NOT_FOUND', `there is no task "${reference}"`, { remedy: 'list them: stateward get tasks' })
}
