import type { EventName } from '../../events/catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { StepRow } from '../../store/journal.ts'
import type { NewEvent } from '../../store/ports.ts'
import type { RunRow } from '../../store/queries/runs.ts'
import { stepIdOf } from '../../store/queries/steps.ts'
import type { Placed } from '../state/frame.ts'

/** A step that has not started. */
export function newStepRow(run_id: string, step: Placed): StepRow {
  return {
    run_id,
    path: step.path,
    attempt: 1,
    step_id: stepIdOf(run_id, step.path, 1),
    kind: step.kind,
    status: 'created',
    inputs: null,
    outputs: null,
    error: null,
    condition: null,
    started_at: null,
    completed_at: null,
    next_attempt_at: null,
  }
}

/** An attempt that failed, and the one that follows it; the step goes on running. */
export function attemptRows(
  before: StepRow,
  error: Json,
  now: Date,
  next: { readonly at: Date; readonly step_id: string; readonly reason: string },
): { readonly ended: StepRow; readonly next: StepRow } {
  return {
    ended: { ...before, status: 'failed', error, condition: null, completed_at: now },
    next: {
      ...before,
      attempt: before.attempt + 1,
      step_id: next.step_id,
      condition: { reason: 'ProgressingWithRetry', message: next.reason, since: now.toISOString() },
      started_at: null,
      next_attempt_at: next.at,
    },
  }
}

/** What is told of an event besides its run; `stepId` null = it is about the run. */
export interface Told {
  readonly name: EventName
  readonly data: JsonObject
  readonly stepId: string | null
  readonly actor: string
}

export function eventOfRun(row: RunRow, envId: string, now: Date, { name, data, stepId, actor }: Told): NewEvent {
  return {
    event_id: uuidv7(now.getTime()),
    event_name: name,
    occurred_at: now,
    env_id: envId,
    actor,
    correlation_id: row.correlation_id,
    run_id: row.run_id,
    step_id: stepId,
    resource: { type: 'Run', id: row.run_id },
    data,
  }
}

/** What a condition says, without since when. */
export function reasonOf(condition: Json | null): Json {
  if (condition === null) return null
  const { reason = null, message = null } = condition as { reason?: Json; message?: Json }
  return { reason, message }
}
