import type { Json, JsonObject } from '../../lib/json.ts'
import type { SimulateRequest, simulatePlan } from '../../runs/simulate/simulate-plan.ts'
import type { StartOperationRequest } from '../../runs/start/start-operation.ts'
import type { Caller } from '../caller.ts'

export interface RunVerbs {
  /**
   * Starts a run of a blueprint and resolves when it is durable. `name` null = a name is made.
   * SW_NOT_FOUND: no such blueprint. SW_VALIDATION_FAILED: inputs. SW_CONFLICT: the name is taken by another run.
   * SW_NO_CAPACITY, SW_QUOTA_EXCEEDED: the blueprint takes no more; `details.retry_after_seconds` says when it may.
   */
  create(
    request: {
      readonly namespace: string
      readonly blueprint: string
      readonly name: string | null
      readonly inputs: JsonObject
      readonly priority: number
    },
    caller: Caller,
  ): Promise<{ readonly runId: string }>
  /**
   * Starts a run that brings its own plan: steps as in a blueprint, or `{skill, params}`. SW_INLINE_PLANS_DENIED,
   * SW_VALIDATION_FAILED, SW_OVER_BUDGET, SW_CONFLICT, SW_NOT_READY.
   */
  createInline(
    request: {
      readonly namespace: string
      readonly name: string | null
      readonly plan: readonly unknown[]
      readonly inputs: JsonObject
      readonly priority: number
      readonly budgetCents: number | null
    },
    caller: Caller,
  ): Promise<{ readonly runId: string }>
  /** What a plan would cost, what is wrong with it and what could go wrong; nothing of it is run. SW_NOT_FOUND: the blueprint. */
  simulate(request: SimulateRequest): Promise<ReturnType<typeof simulatePlan>>
  /** SW_NOT_FOUND, SW_CONFLICT when it is suspended or the name is taken, SW_VALIDATION_FAILED: the inputs. */
  runOperation(request: StartOperationRequest, caller: Caller): Promise<{ readonly runId: string }>
  /**
   * Starts a run of what a dead letter asked for. SW_NOT_FOUND, SW_CONFLICT when it was requeued before,
   * SW_VALIDATION_FAILED when it would be refused again.
   */
  requeue(deadLetterId: string, caller: Caller): Promise<{ readonly runId: string }>
  /** SW_CONFLICT when the run has ended otherwise; cancelling a cancelled run is no error. */
  cancel(request: { readonly runId: string; readonly reason: string | null }, caller: Caller): Promise<void>
  /** SW_CONFLICT when it has not ended, went on or was undone; SW_VALIDATION_FAILED when `from` is no step of it. */
  retry(
    request: { readonly runId: string; readonly from: string | null },
    caller: Caller,
  ): Promise<{ readonly runId: string }>
  /** SW_CONFLICT when it has not ended, went on as another run, or nothing of it is left to undo. */
  rollback(request: { readonly runId: string }, caller: Caller): Promise<{ readonly runId: string }>
  /**
   * Builds the rows of a run from its events and compares; with `write` they become what the events say.
   * SW_NOT_FOUND: the log does not hold its beginning. SW_CONFLICT: it has not ended.
   */
  replay(
    request: { readonly runId: string; readonly write: boolean },
    caller: Caller,
  ): Promise<{
    readonly runId: string
    readonly name: string
    readonly events: number
    readonly steps: number
    readonly differences: readonly {
      readonly row: string
      readonly column: string | null
      readonly stored: Json
      readonly rebuilt: Json
    }[]
    readonly written: boolean
  }>
}
