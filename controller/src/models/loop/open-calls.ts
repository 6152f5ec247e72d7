import type { Tx } from '../../store/database.ts'
import { type ModelLoopRow, type ModelTurnRow, turnsOf } from '../../store/queries/model-loops.ts'
import type { TaskRow } from '../../store/queries/tasks.ts'
import { openAmong } from '../../store/queries/tool-calls.ts'
import { toolCallId } from './conversation.ts'
import type { LoopDeps } from './ports.ts'

/**
 * Whether somebody has to approve a call of the turn, or to say what became of one, before the loop goes on; the log of the task
 * says how, once. Approving takes of the time the agent has; saying what a crash hid only of a deadline the task was given.
 */
export async function waitsForSomebody(
  { store, log }: LoopDeps,
  {
    loop,
    task,
    turn,
    deadline,
  }: {
    readonly loop: ModelLoopRow
    readonly task: TaskRow
    readonly turn: ModelTurnRow | undefined
    readonly deadline: Date
  },
  told: Set<string>,
): Promise<boolean> {
  if (turn === undefined || turn.results !== null || turn.tool_calls.length === 0) return false
  const open = await openAmong(store.engine, callIdsOf(loop, turn))
  for (const { id, tool, state } of open) {
    if (told.has(`${id} ${state}`)) continue
    told.add(`${id} ${state}`)
    log(
      task,
      state === 'waiting'
        ? `turn ${turn.turn} waits for an approval of ${tool}: stateward tool approve ${id}; stateward tool reject ${id}`
        : `turn ${turn.turn} waits: nobody knows whether ${tool} took effect. stateward tool approve ${id} --retry, or --done --input <output>; stateward tool reject ${id} fails the task`,
    )
  }
  const now = store.clock.now()
  const until = open.some(({ state }) => state === 'unknown') ? task.deadline : deadline
  return open.length > 0 && (until === null || until > now)
}

/** Nobody turns the loop any more: what its calls wait for is not to be said any more. */
export async function leaveOpenCalls(tx: Tx, deps: LoopDeps, loop: ModelLoopRow): Promise<void> {
  const last = (await turnsOf(tx, loop)).at(-1)
  if (last !== undefined && last.results === null && last.tool_calls.length > 0)
    await deps.leaveCalls(tx, callIdsOf(loop, last))
}

function callIdsOf({ task_id, attempt }: ModelLoopRow, { turn, tool_calls }: ModelTurnRow): readonly string[] {
  return tool_calls.map((_, index) => toolCallId(task_id, attempt, turn, index + 1))
}
