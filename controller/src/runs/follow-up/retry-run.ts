import type { EventName } from '../../events/catalogue.ts'
import type { EventValue } from '../../expressions/values.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Tx } from '../../store/database.ts'
import type { StepRow } from '../../store/journal.ts'
import { appendEvents } from '../../store/log.ts'
import type { NewEvent } from '../../store/ports.ts'
import { copyArtifacts, valueArtifacts } from '../../store/queries/artifacts.ts'
import { insertSteps, takeOverBlackboard } from '../../store/queries/child-runs.ts'
import { stepIdOf } from '../../store/queries/steps.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import { carried } from '../move/carried.ts'
import type { Caller, EnvironmentOf } from '../ports.ts'
import { createRun, type NewRunRequest } from '../start/create.ts'
import { blueprintOfRun, type EndedRun, lockEndedRun } from './ended-run.ts'
import { keptSteps } from './kept-steps.ts'

export interface RetryDeps {
  readonly store: Store
  readonly environmentOf: EnvironmentOf
  /** A run is durable that whoever is free may claim: called after the commit. */
  readonly nudge: (runId: string) => void
}

/**
 * Has a run that ended go on, from a step or from wherever it failed, as a run of its own: the same plan, inputs and
 * event, with the recorded outputs of everything before. The run that ended stays as it is.
 * SW_NOT_FOUND: no such run. SW_CONFLICT: it has not ended, went on already, or was undone. SW_VALIDATION_FAILED: no such
 * step.
 */
export async function retryRun(
  deps: RetryDeps,
  request: { readonly runId: string; readonly from: string | null },
  caller: Caller,
): Promise<{ readonly runId: string }> {
  const runId = await transact(deps.store, (tx) => retry(tx, deps, request, caller))
  deps.nudge(runId)
  return { runId }
}

async function retry(
  tx: Tx,
  { store, environmentOf }: RetryDeps,
  { runId, from }: { readonly runId: string; readonly from: string | null },
  caller: Caller,
): Promise<string> {
  const ended = await lockEndedRun(tx, runId, environmentOf)
  refuseWhatFollowed(ended)
  const { state } = ended
  const { row } = state
  const kept = keptSteps(state, from)
  const now = store.clock.now()
  const request: NewRunRequest = {
    blueprint: blueprintOfRun(state),
    name: null,
    inputs: row.inputs,
    trigger: 'retry',
    event: row.event as EventValue | null,
    dedupeKey: null,
    priority: row.priority,
    actor: caller.actor,
    correlationId: caller.correlationId,
    envId: environmentOf(row.namespace).id,
    parent: { runId: row.run_id, kind: 'retry' },
  }
  const child = await createRun(tx, now, request)
  if (child.kind === 'exists') throw fail('SW_CONFLICT', `run ${row.name} went on as run ${child.name}`)
  const steps = kept.map((step) => ({
    ...step,
    run_id: child.runId,
    step_id: stepIdOf(child.runId, step.path, step.attempt),
    condition: null,
  }))
  await insertSteps(tx, steps)
  await takeOverBlackboard(tx, row.run_id, child.runId)
  const values = await takeOverValues(tx, now, row.run_id, child.runId)
  const base = { occurred_at: now, env_id: request.envId, actor: caller.actor, correlation_id: caller.correlationId }
  const told: NewEvent = {
    ...base,
    event_id: uuidv7(now.getTime()),
    event_name: 'stateward.run.retried' satisfies EventName,
    run_id: row.run_id,
    resource: { type: 'Run', id: row.run_id },
    data: { run: row.name, child: child.name, child_id: child.runId, from, kept: steps.length },
  }
  const keptEvents = steps.map((step) => ({
    ...base,
    event_id: uuidv7(now.getTime()),
    event_name: 'stateward.run.step.retained' satisfies EventName,
    run_id: child.runId,
    step_id: step.step_id,
    resource: { type: 'Run', id: child.runId },
    data: keptData(child.name, step, values),
  }))
  await appendEvents(tx, store, [told, child.event, ...keptEvents])
  return child.runId
}

/** Artifacts of the large values of a run, kept for the run that goes on as well; theirs by digest. */
async function takeOverValues(tx: Tx, now: Date, from: string, to: string): Promise<ReadonlyMap<string, string>> {
  const copies = (await valueArtifacts(tx, from)).map((artifact) => ({
    ...artifact,
    artifact_id: uuidv7(now.getTime()),
    run_id: to,
    step_id: null,
    created_at: now,
  }))
  await copyArtifacts(tx, copies)
  return new Map(copies.map(({ sha256, artifact_id }) => [sha256!, artifact_id]))
}

function keptData(run: string, step: StepRow, values: ReadonlyMap<string, string>): JsonObject {
  const artifactOf = (_: string, digest: string) => values.get(digest) ?? null
  return {
    run,
    step: step.path,
    kind: step.kind,
    attempt: step.attempt,
    status: step.status,
    started_at: step.started_at?.toISOString() ?? null,
    completed_at: step.completed_at?.toISOString() ?? null,
    ...(step.inputs === null ? {} : carried('inputs', step.inputs, artifactOf)),
    ...carried('output', step.outputs, artifactOf),
  }
}

/** Each run goes on once, so that what was recorded is taken over by one run; that one may go on in turn. */
function refuseWhatFollowed({ state, children }: EndedRun): void {
  const { name, condition } = state.row
  if (condition?.['reason'] === 'RollbackPending') throw fail('SW_CONFLICT', `run ${name} is about to be rolled back`)
  const [child] = children
  if (child === undefined) return
  if (child.parent_kind === 'retry')
    throw fail('SW_CONFLICT', `run ${name} went on as run ${child.name}`, { remedy: `retry ${child.name} instead` })
  throw fail('SW_CONFLICT', `run ${name} was rolled back by run ${child.name}`, {
    remedy: 'start a new run: what its steps gave does not hold any more',
  })
}
