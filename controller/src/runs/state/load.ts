import type { CompiledPlan } from '../../blueprints/compiled-plan.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { Executor } from '../../store/database.ts'
import { effectsOfRuns } from '../../store/queries/effects.ts'
import { gatesOfRuns } from '../../store/queries/gates.ts'
import { type InboxRow, openInboxRows } from '../../store/queries/inbox.ts'
import { getPlan, insertPlan } from '../../store/queries/plans.ts'
import type { RunRow } from '../../store/queries/runs.ts'
import { stepsOfRuns } from '../../store/queries/steps.ts'
import type { RunRecords } from './run-state.ts'

const MAX_PLANS = 1000

/** Plans by digest. A digest never means another plan, so nothing ever has to be forgotten, only bounded. */
export class PlanCache {
  readonly #plans = new Map<string, CompiledPlan>()
  readonly #storing = new Map<string, Promise<void>>()

  async get(sql: Executor, digest: string): Promise<CompiledPlan> {
    const known = this.#plans.get(digest)
    if (known !== undefined) return known
    const plan = await getPlan(sql, digest)
    if (plan === null) throw fail('SW_INTERNAL', `the plan ${digest} of a run is not stored`)
    this.#keep(digest, plan)
    return plan
  }

  /** Resolves when the plan is stored, so that a run can be pinned to it. */
  async store(sql: Executor, digest: string, plan: CompiledPlan, now: Date): Promise<void> {
    if (this.#plans.has(digest)) return
    let storing = this.#storing.get(digest)
    if (storing === undefined) {
      storing = insertPlan(sql, digest, plan, now)
        .then(() => this.#keep(digest, plan))
        .finally(() => this.#storing.delete(digest))
      this.#storing.set(digest, storing)
    }
    await storing
  }

  #keep(digest: string, plan: CompiledPlan): void {
    if (this.#plans.size >= MAX_PLANS) this.#plans.delete(this.#plans.keys().next().value!)
    this.#plans.set(digest, plan)
  }
}

export interface LoadedRun {
  readonly records: RunRecords
  readonly messages: readonly InboxRow[]
}

/** Everything an owner needs of the runs it has just claimed. A run that never moved and got
 * no message has no rows, unless it goes on from another one. */
export async function loadRuns(sql: Executor, plans: PlanCache, rows: readonly RunRow[]): Promise<LoadedRun[]> {
  const moved = rows
    .filter((row) => row.status !== 'created' || row.signals > 0 || row.parent_kind === 'retry')
    .map((row) => row.run_id)
  const [steps, gates, effects, messages] =
    moved.length === 0
      ? [[], [], [], []]
      : await Promise.all([
          stepsOfRuns(sql, moved),
          gatesOfRuns(sql, moved),
          effectsOfRuns(sql, moved),
          openInboxRows(sql, moved),
        ])
  const mine = byRun([steps, gates, effects, messages] as const)
  const loaded: LoadedRun[] = []
  for (const row of rows) {
    const plan = await plans.get(sql, row.plan_digest)
    const [itsSteps, itsGates, itsEffects, itsMessages] = mine(row.run_id)
    loaded.push({
      records: { row, plan, steps: itsSteps, gates: itsGates, effects: itsEffects },
      messages: itsMessages,
    })
  }
  return loaded
}

/** Splits lists by run, once, whatever the number of runs. */
function byRun<Lists extends readonly (readonly { readonly run_id: string }[])[]>(
  lists: Lists,
): (runId: string) => Lists {
  const groups = lists.map((list) => Map.groupBy(list, ({ run_id }) => run_id))
  return (runId) => groups.map((group) => group.get(runId) ?? []) as unknown as Lists
}
