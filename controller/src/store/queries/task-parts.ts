import type { Executor } from '../database.ts'
import { type TaskRow, taskColumns } from './tasks.ts'

/** A part was added to a task. */
export async function addPart(tx: Executor, parentId: string): Promise<void> {
  await tx`UPDATE tasks SET parts_total = parts_total + 1 WHERE task_id = ${parentId}`
}

/** Counts a part that ended; null when the parent is gone. */
export async function countPart(tx: Executor, parentId: string, failed: boolean): Promise<TaskRow | null> {
  const [row] = await tx<TaskRow[]>`
    UPDATE tasks SET parts_done = parts_done + 1, parts_failed = parts_failed + ${failed ? 1 : 0}
    WHERE task_id = ${parentId} RETURNING ${taskColumns(tx)}`
  return row ?? null
}

/** The parts of a task, in the order they were asked for. */
export async function partsOfTask(sql: Executor, parentId: string, limit: number): Promise<TaskRow[]> {
  return sql<TaskRow[]>`
    SELECT ${taskColumns(sql)} FROM tasks WHERE parent_task = ${parentId} ORDER BY created_at, task_id LIMIT ${limit}`
}

/** Open parts of tasks that failed or were cancelled: nobody waits for them. */
export async function abandonedParts(sql: Executor): Promise<TaskRow[]> {
  return sql<TaskRow[]>`
    SELECT ${taskColumns(sql, 't')} FROM tasks t JOIN tasks p ON p.task_id = t.parent_task
    WHERE t.status IN ('queued', 'leased') AND p.status IN ('failed', 'cancelled')
    ORDER BY t.created_at, t.task_id LIMIT 100`
}
