import { resolveInputs } from '../../blueprints/inputs.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Blueprints, Caller } from '../ports.ts'
import { type InsertRunDeps, insertRunOf } from './insert-run.ts'

export interface StartRunDeps extends InsertRunDeps {
  readonly blueprints: Blueprints
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
  const { name, priority } = request
  return insertRunOf(deps, blueprint, { name, priority, inputs: inputs.values, trigger: 'manual' }, caller)
}
