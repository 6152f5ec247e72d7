import { cancelTaskOf, createTask, reassignTaskTo, retryTask } from '../agents/task-verbs.ts'
import type { TaskVerbs } from '../api/ports/tasks.ts'
import type { Core } from './core.ts'
import { hasAgent } from './world-views.ts'

/** What people and agents do with tasks, as the API serves it. */
export function taskVerbs({ store, world, announce, feed }: Core): TaskVerbs {
  const deps = { store, hasAgent: hasAgent(world) }
  return {
    create: (tx, request, caller) => createTask(tx, deps, request, caller),
    cancel: (tx, taskId, caller) => cancelTaskOf(tx, deps, taskId, caller),
    retry: (tx, request, caller) => retryTask(tx, deps, request, caller),
    assign: (tx, request, caller) => reassignTaskTo(tx, deps, request, caller),
    announce({ queue, lastSeq }) {
      if (queue !== null) announce.task(queue.namespace, queue.agent)
      if (lastSeq > 0) feed.nudge(lastSeq)
    },
  }
}
