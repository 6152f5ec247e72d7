import { resolveInputs } from '../blueprints/inputs.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { JsonObject } from '../lib/json.ts'
import { appendEvents } from '../store/log.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { admitRun, noCapacity } from './backpressure.ts'
import { createRun } from './create.ts'
import type { Blueprints, Caller, EnvironmentOf } from './ports.ts'

export interface StartRunDeps {
  readonly store: Store
  readonly blueprints: Blueprints
  readonly environmentOf: EnvironmentOf
  /** A run is durable: called after the commit. */
  readonly nudge: (runId: string) => void
}

export interface StartRunRequest {
  readonly namespace: string
  readonly blueprint: string
  /** Null = a name is made. */
  readonly name: string | null
  readonly inputs: JsonObject
  readonly priority: number
}

/**
 * Starts a run because somebody asked for it; resolves when it is durable. SW_NOT_FOUND: no such blueprint.
 * SW_VALIDATION_FAILED: the inputs, all problems in `details.violations`. SW_CONFLICT: the name is taken.
 * SW_NO_CAPACITY: the blueprint takes no more at the moment.
 */
export async function startRun(
  deps: StartRunDeps,
  request: StartRunRequest,
  caller: Caller,
): Promise<{ readonly runId: string }> {
  const { store } = deps
  const blueprint = deps.blueprints.find(request.namespace, request.blueprint)
  if (blueprint === null) throw fail('SW_NOT_FOUND', `there is no blueprint ${request.namespace}/${request.blueprint}`)
  const inputs = resolveInputs(blueprint.plan, request.inputs, null)
  if (!inputs.ok) {
    const violations = inputs.problems.map(({ pointer, message, hint }) => ({
      path: `/inputs${pointer}`,
      message,
      hint,
    }))
    throw fail('SW_VALIDATION_FAILED', `the inputs do not fit blueprint ${blueprint.name}: ${violations[0]!.message}`, {
      details: { violations },
    })
  }
  const runId = await transact(store, async (tx) => {
    const admission = await admitRun(tx, blueprint, store.clock.now())
    if (!admission.admitted) throw noCapacity(admission, store.clock.now())
    const result = await createRun(tx, store.clock.now(), {
      blueprint,
      name: request.name,
      inputs: inputs.values,
      trigger: 'manual',
      event: null,
      dedupeKey: null,
      priority: request.priority,
      actor: caller.actor,
      correlationId: caller.correlationId,
      envId: deps.environmentOf(blueprint.namespace).id,
    })
    if (result.kind === 'exists') throw fail('SW_CONFLICT', `the run is there already: ${result.name}`)
    await appendEvents(tx, store, [result.event])
    return result.runId
  })
  deps.nudge(runId)
  return { runId }
}
