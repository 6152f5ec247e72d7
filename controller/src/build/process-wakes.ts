import type { ObjectKey } from '../kinds/resource.ts'
import type { Wake, Wakes } from '../store/wakes.ts'
import type { Parts } from './parts.ts'

/** What another process says goes to whoever in this one has to look. */
export function followWake(wake: Wake, { engine, agents, modelAgents, leader }: Parts): void {
  switch (wake.kind) {
    case 'joined':
    case 'left':
      engine?.nudge()
      modelAgents?.wake()
      return
    case 'run':
      engine?.heard(wake.run ?? undefined)
      return
    case 'task':
      agents?.taskQueued(wake.namespace, wake.agent)
      modelAgents?.wake()
      return
    case 'task_cancelled':
      agents?.taskCancelled(wake.step)
      return
    case 'object':
      leader?.controller.enqueue(wake.key as ObjectKey)
      return
    case 'asked':
    case 'answered':
      // Whoever asks and answers listens himself.
      return
  }
}

/** Tells this process and the others at once. Everything is called after the commit of what it is about. */
export interface Announcements {
  run(runId: string): void
  task(namespace: string, agent: string): void
  taskCancelled(stepId: string): void
  /** Something about an object changed by itself. */
  object(key: ObjectKey): void
}

export function announcements(wakes: Wakes, parts: Parts): Announcements {
  return {
    run(runId) {
      parts.engine?.nudge(runId)
      wakes.send({ kind: 'run', run: runId })
    },
    task(namespace, agent) {
      parts.agents?.taskQueued(namespace, agent)
      parts.modelAgents?.wake()
      wakes.send({ kind: 'task', namespace, agent })
    },
    taskCancelled(stepId) {
      parts.agents?.taskCancelled(stepId)
      wakes.send({ kind: 'task_cancelled', step: stepId })
    },
    object(key) {
      if (parts.leader !== null) parts.leader.controller.enqueue(key)
      else wakes.send({ kind: 'object', key })
    },
  }
}
