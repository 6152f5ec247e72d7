import type { Agents } from '../agents/agents.ts'
import type { RunEngine } from '../runs/engine.ts'
import type { Wake, Wakes } from '../store/wakes.ts'

/** The parts of this process that another one may wake; null = it does not have that role. */
export interface Wakeable {
  readonly engine: RunEngine | null
  readonly agents: Agents
}

/** What another process says goes to whoever in this one has to look. */
export function followWake(wake: Wake, { engine, agents }: Wakeable): void {
  switch (wake.kind) {
    case 'joined':
    case 'left':
      engine?.nudge()
      return
    case 'run':
      engine?.nudge(wake.run ?? undefined)
      return
    case 'task':
      agents.taskQueued(wake.namespace, wake.agent)
      return
    case 'task_cancelled':
      agents.taskCancelled(wake.step)
      return
  }
}

/** Tells this process and the others at once. Everything is called after the commit of what it is about. */
export interface Announcements {
  run(runId: string): void
  task(namespace: string, agent: string): void
  taskCancelled(stepId: string): void
}

export function announcements(wakes: Wakes, here: () => Wakeable): Announcements {
  return {
    run(runId) {
      here().engine?.nudge(runId)
      wakes.send({ kind: 'run', run: runId })
    },
    task(namespace, agent) {
      here().agents.taskQueued(namespace, agent)
      wakes.send({ kind: 'task', namespace, agent })
    },
    taskCancelled(stepId) {
      here().agents.taskCancelled(stepId)
      wakes.send({ kind: 'task_cancelled', step: stepId })
    },
  }
}
