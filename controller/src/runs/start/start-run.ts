import { type ResolvedInputs, resolveInputs } from '../../blueprints/inputs.ts'
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
  /** Default: `manual`. */
  readonly trigger?: `operation:${string}`
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
  const inputs = fittingInputs(resolveInputs(blueprint.plan, request.inputs, null), `blueprint ${blueprint.name}`)
  const { name, priority, trigger = 'manual' } = request
  return insertRunOf(deps, blueprint, { name, priority, inputs, trigger }, caller)
}

/** The inputs of a run; SW_VALIDATION_FAILED with everything that is wrong with them. */
export function fittingInputs(inputs: ResolvedInputs, what: string): JsonObject {
  if (inputs.ok) return inputs.values
  const violations = inputs.problems.map(({ pointer, message, hint }) => ({
    path: `/inputs${pointer}`,
    message,
    hint,
  }))
  throw fail('SW_VALIDATION_FAILED', `the inputs do not fit ${what}: ${violations[0]!.message}`, {
    details: { violations },
  })
}
