import type { JsonObject } from '../../lib/json.ts'
import type { Tx } from '../../store/database.ts'
import type { TaskRow } from '../../store/queries/tasks.ts'

/** Who does something with a task: of an agent, with the instance that speaks. */
export interface TaskCaller {
  readonly actor: string
  readonly correlationId: string
  readonly instanceId: string | null
}

/** What a verb did with a task. Hand it to `announce` once the transaction is committed. */
export interface TaskChanged {
  readonly task: TaskRow
  readonly lastSeq: number
  readonly queue: { readonly namespace: string; readonly agent: string } | null
}

/** Everything but `announce` works in the transaction it is given. */
export interface TaskVerbs {
  /** SW_NOT_FOUND: no such agent or parent. SW_CONFLICT: the parent has ended. SW_FORBIDDEN: it is not the agent's own. */
  create(
    tx: Tx,
    request: {
      readonly namespace: string
      readonly agent: string
      readonly prompt: string
      readonly inputs: JsonObject
      readonly outputSchema: JsonObject | null
      readonly deadline: Date | null
      readonly parentTaskId: string | null
      readonly maxAttempts: number
      readonly retryDelayMs: number
      readonly keepWorkspace: boolean
      readonly expectedRows: number | null
    },
    caller: TaskCaller,
  ): Promise<TaskChanged>
  /** SW_NOT_FOUND, SW_CONFLICT: it ended otherwise, or belongs to a run. */
  cancel(tx: Tx, taskId: string, caller: TaskCaller): Promise<TaskChanged>
  /** SW_NOT_FOUND, SW_CONFLICT: it is open or completed, or belongs to a run. */
  retry(
    tx: Tx,
    request: { readonly taskId: string; readonly agent: string | null; readonly deadline: Date | null },
    caller: TaskCaller,
  ): Promise<TaskChanged>
  /** SW_NOT_FOUND, SW_CONFLICT: it has ended, or belongs to a run. */
  assign(tx: Tx, request: { readonly taskId: string; readonly agent: string }, caller: TaskCaller): Promise<TaskChanged>
  announce(changed: TaskChanged): void
}
