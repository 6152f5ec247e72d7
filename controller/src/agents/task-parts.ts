import type { Tx } from '../store/database.ts'
import type { NewEvent } from '../store/ports.ts'
import { countPart } from '../store/queries/task-parts.ts'
import type { TaskRow } from '../store/queries/tasks.ts'
import { taskEvent } from './events.ts'

/** A task that is a part of another ended: the other counts it, and its agent hears of it. */
export async function partEnded(
  tx: Tx,
  part: TaskRow,
  status: 'completed' | 'failed' | 'cancelled',
  at: Date,
): Promise<NewEvent[]> {
  const parent = part.parent_task === null ? null : await countPart(tx, part.parent_task, status !== 'completed')
  if (parent === null) return []
  const { parts_done: done, parts_total: total, parts_failed: failed } = parent
  return [taskEvent('progressed', parent, at, { part_task_id: part.task_id, part_status: status, done, total, failed })]
}
