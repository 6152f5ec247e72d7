import type { AgentTaskStep } from '../../blueprints/compiled-plan.ts'
import { BULK_ROWS } from '../../store/queries/tasks.ts'
import type { Move } from '../move/move.ts'
import type { Placed } from '../state/frame.ts'
import type { StepContext } from './handler.ts'

/**
 * Bulk work waits for a host of the database. Whether one may have the task only the database knows, so it is asked beside
 * the run, when the task is there and whenever the run is taken up again; the answer is the condition of the step.
 */

export const HOST_REQUIRED = 'DatabaseHostRequired'

export function isBulk(step: Pick<AgentTaskStep, 'expectedRows'>): boolean {
  return (step.expectedRows ?? 0) >= BULK_ROWS
}

export function lookForHost(move: Move, step: Placed<AgentTaskStep>, { tasks }: StepContext): void {
  if (move.run.active.has(step.path)) return
  const taskId = taskOf(move, step)
  const task = { namespace: move.run.row.namespace, agent: step.agent, taskId }
  move.call(step, 'look', async () => {
    const message = await tasks.bulkObstacle(task)
    return (later) => {
      if (later.run.steps.get(step.path)?.status !== 'running' || taskOf(later, step) !== taskId) return
      const before = reasonOf(later, step)
      later.waitStep(step, message === null ? null : { reason: HOST_REQUIRED, message, since: later.now.toISOString() })
      if (message !== null && before !== HOST_REQUIRED)
        later.tell.step('unplaced', step, { reason: HOST_REQUIRED, message })
    }
  })
}

function taskOf(move: Move, step: Placed): string {
  return (move.run.steps.get(step.path)?.inputs as { task_id?: string } | null)?.task_id ?? ''
}

/** Why the step waits, as its row says. */
export function reasonOf(move: Move, step: Pick<Placed, 'path'>): string | undefined {
  return (move.run.steps.get(step.path)?.condition as { reason?: string } | null | undefined)?.reason
}
