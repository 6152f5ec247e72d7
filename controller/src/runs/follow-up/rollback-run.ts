import { planDigest } from '../../blueprints/plan-digest.ts'
import type { EventName } from '../../events/catalogue.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { Tx } from '../../store/database.ts'
import { appendEvents } from '../../store/log.ts'
import { type ChildRun, setEndedCondition } from '../../store/queries/child-runs.ts'
import { stepsOfRuns } from '../../store/queries/steps.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import type { Caller, EnvironmentOf, ToolRunner } from '../ports.ts'
import { createRun } from '../start/create.ts'
import { blueprintOfRun, isOpen, lockEndedRun } from './ended-run.ts'
import { idOf, rollbackPlan } from './rollback-plan.ts'

export interface RollbackDeps {
  readonly store: Store
  readonly environmentOf: EnvironmentOf
  readonly tools: Pick<ToolRunner, 'find'>
  /** A run is durable that whoever is free may claim: called after the commit. */
  readonly nudge: (runId: string) => void
}

/**
 * Undoes what a run did, by a run of its own whose steps are the inverses in reverse order: as durable as any run. What
 * cannot be undone is told in its inputs and outputs. When it failed before, only what is left is undone.
 * SW_NOT_FOUND: no such run. SW_CONFLICT: it has not ended, is being rolled back, went on as another run, or nothing of it
 * is left to undo. `ifPending`: nothing happens unless it failed and is still to be rolled back.
 */
export async function rollbackRun(
  deps: RollbackDeps,
  request: { readonly runId: string; readonly ifPending?: boolean },
  caller: Caller | null,
): Promise<{ readonly runId: string } | null> {
  const { store } = deps
  const runId = await transact(store, (tx) => rollback(tx, deps, request, caller))
  if (runId !== null) deps.nudge(runId)
  return runId === null ? null : { runId }
}

async function rollback(
  tx: Tx,
  { store, environmentOf, tools }: RollbackDeps,
  { runId, ifPending = false }: { readonly runId: string; readonly ifPending?: boolean },
  caller: Caller | null,
): Promise<string | null> {
  const { state, children } = await lockEndedRun(tx, runId, environmentOf)
  const { row } = state
  if (ifPending && row.condition?.['reason'] !== 'RollbackPending') return null
  if (ifPending && children.length > 0) {
    await setEndedCondition(tx, row.run_id, null)
    return null
  }
  refuseWhatFollowed(row.name, children)
  const done = await undoneBefore(tx, children)
  const { plan, inputs, undo, notUndone } = rollbackPlan(state, done, (action) => tools.find(action, row.namespace))
  if (done.size > 0 && undo.length === 0)
    throw fail('SW_CONFLICT', `run ${row.name} was rolled back: nothing of it is left to undo`)
  const now = store.clock.now()
  const by = caller ?? { actor: row.actor, correlationId: row.correlation_id }
  const envId = environmentOf(row.namespace).id
  const result = await createRun(tx, now, {
    blueprint: { ...blueprintOfRun(state), plan, digest: planDigest(plan) },
    name: null,
    inputs,
    trigger: 'rollback',
    event: null,
    dedupeKey: null,
    priority: row.priority,
    actor: by.actor,
    correlationId: by.correlationId,
    envId,
    parent: { runId: row.run_id, kind: 'rollback' },
  })
  if (result.kind === 'exists') throw fail('SW_CONFLICT', `run ${row.name} is being rolled back: ${result.name}`)
  if (row.condition !== null) await setEndedCondition(tx, row.run_id, null)
  const told = {
    event_id: uuidv7(now.getTime()),
    event_name: 'stateward.run.rollback.started' satisfies EventName,
    occurred_at: now,
    env_id: envId,
    actor: by.actor,
    correlation_id: by.correlationId,
    run_id: row.run_id,
    resource: { type: 'Run', id: row.run_id },
    data: {
      run: row.name,
      child: result.name,
      child_id: result.runId,
      undo: [...undo],
      not_undone: notUndone.map((one) => ({ ...one })),
    },
  }
  await appendEvents(tx, store, [told, result.event])
  return result.runId
}

function refuseWhatFollowed(name: string, children: readonly ChildRun[]): void {
  const retry = children.findLast(({ parent_kind }) => parent_kind === 'retry')
  if (retry !== undefined)
    throw fail('SW_CONFLICT', `run ${name} went on as run ${retry.name}`, { remedy: `roll back ${retry.name} instead` })
  const open = children.find(isOpen)
  if (open !== undefined) throw fail('SW_CONFLICT', `run ${name} is being rolled back: ${open.name}`)
}

/** Paths of the run's steps that former rollbacks undid. */
async function undoneBefore(tx: Tx, children: readonly ChildRun[]): Promise<ReadonlySet<string>> {
  const undone = new Set<string>()
  for (const child of children) {
    if (child.parent_kind !== 'rollback') continue
    const paths = child.inputs['undo'] as readonly string[]
    const completed = (await stepsOfRuns(tx, [child.run_id])).filter(({ status }) => status === 'completed')
    for (const { path } of completed) {
      const index = paths.findIndex((_, i) => idOf(i) === path)
      if (index >= 0) undone.add(paths[index]!)
    }
  }
  return undone
}
