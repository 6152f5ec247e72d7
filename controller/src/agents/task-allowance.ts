import type { AgentSpec } from '../kinds/agent/agent.schema.ts'
import type { Tx } from '../store/database.ts'
import { lockTasksOf, tasksHandedOut } from '../store/queries/task-allowance.ts'

const MINUTE = 60_000

export type Constraints = NonNullable<AgentSpec['constraints']>

/**
 * How many of `max` tasks an agent may be given at this moment. One that is not constrained costs no query; one that is gets
 * its tasks counted under a lock, so that instances in several processes do not exceed the limits together.
 */
export async function allowance(
  tx: Tx,
  agent: { readonly namespace: string; readonly name: string },
  constraints: Constraints | undefined,
  max: number,
  now: Date,
): Promise<number> {
  const { maxTasks, tasksPerMinute } = constraints ?? {}
  if (maxTasks === undefined && tasksPerMinute === undefined) return max
  await lockTasksOf(tx, agent)
  const { leased, recent } = await tasksHandedOut(tx, agent, new Date(now.getTime() - MINUTE))
  return Math.max(0, Math.min(max, (maxTasks ?? max + leased) - leased, (tasksPerMinute ?? max + recent) - recent))
}
