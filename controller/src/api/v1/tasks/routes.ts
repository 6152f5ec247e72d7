import type { Route } from '../../http/route.ts'
import { assignTask, cancelTask, retryTask } from './change-task.ts'
import { createTask } from './create-task.ts'
import { listAgentTasks, listTasks } from './list-tasks.ts'
import { readTask } from './read-task.ts'

/** Tasks as those see them who ask for them; agents take and report them with the routes of their protocol. */
export const TASK_ROUTES: readonly Route[] = [
  createTask,
  listTasks,
  readTask,
  cancelTask,
  retryTask,
  assignTask,
  listAgentTasks,
]
