import { fail } from '../../lib/error-catalogue.ts'
import type { Tx } from '../../store/database.ts'
import { type ChildRun, childRuns } from '../../store/queries/child-runs.ts'
import { effectsOfRuns } from '../../store/queries/effects.ts'
import { getPlan } from '../../store/queries/plans.ts'
import { lockRunStatus } from '../../store/queries/rebuild.ts'
import { getRun } from '../../store/queries/runs.ts'
import { stepsOfRuns } from '../../store/queries/steps.ts'
import type { AcceptedBlueprint, EnvironmentOf } from '../ports.ts'
import { type RunState, runStateOf } from '../state/run-state.ts'

export interface EndedRun {
  readonly state: RunState
  /** Runs that follow from it, in the order they were made. */
  readonly children: readonly ChildRun[]
}

/**
 * A run that has ended, locked to the end of the transaction so that one other run at a time follows from it.
 * SW_NOT_FOUND: no such run. SW_CONFLICT: it has not ended, or it undoes another one.
 */
export async function lockEndedRun(tx: Tx, runId: string, environmentOf: EnvironmentOf): Promise<EndedRun> {
  await lockRunStatus(tx, runId)
  const row = await getRun(tx, runId)
  if (row === null) throw fail('SW_NOT_FOUND', `there is no run ${runId}`)
  if (row.status === 'created' || row.status === 'running')
    throw fail('SW_CONFLICT', `run ${row.name} has not ended: it is ${row.status}`, {
      remedy: 'cancel it first, or wait until it ends',
    })
  if (row.parent_kind === 'rollback')
    throw fail('SW_CONFLICT', `run ${row.name} undoes another run`, { remedy: 'roll that run back again instead' })
  const plan = await getPlan(tx, row.plan_digest)
  if (plan === null) throw fail('SW_CONFLICT', `the plan ${row.plan_digest} of run ${row.name} is not stored any more`)
  const [steps, effects, children] = [
    await stepsOfRuns(tx, [runId]),
    await effectsOfRuns(tx, [runId]),
    await childRuns(tx, runId),
  ]
  const state = runStateOf({ row, plan, steps, gates: [], effects }, environmentOf(row.namespace))
  return { state, children }
}

/** What a run that follows from it is a run of. */
export function blueprintOfRun({ row, plan }: RunState): AcceptedBlueprint {
  return {
    uid: row.blueprint_uid,
    namespace: row.namespace,
    name: row.blueprint,
    plan,
    digest: row.plan_digest,
    revision: row.revision,
    suspended: false,
  }
}

export function isOpen({ status }: Pick<ChildRun, 'status'>): boolean {
  return status === 'created' || status === 'running'
}
