import { resolveInputs } from '../../blueprints/inputs.ts'
import { compileOperation } from '../../blueprints/operation-plan.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { recordName } from '../../lib/ids.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import type { Blueprints, Caller, ToolRunner } from '../ports.ts'
import { type InsertRunDeps, insertRunOf } from './insert-run.ts'
import { fittingInputs, startRun } from './start-run.ts'

export interface StartOperationDeps extends InsertRunDeps {
  readonly blueprints: Blueprints
  readonly tools: Pick<ToolRunner, 'find'>
  readonly operation: (namespace: string, name: string) => AcceptedOperation | null
}

/** An operation as it was accepted last. */
export interface AcceptedOperation {
  readonly uid: string
  /** With its defaults filled. */
  readonly spec: JsonObject
  /** The commit runs of it are pinned to. */
  readonly revision: string
  readonly suspended: boolean
}

export interface StartOperationRequest {
  readonly namespace: string
  readonly operation: string
  /** Null = a name is made. */
  readonly name: string | null
  readonly inputs: JsonObject
}

/** What the trigger of a run says that an operation started. */
function triggerOf(operation: string): `operation:${string}` {
  return `operation:${operation}`
}

/**
 * Starts a run of an operation; resolves when it is durable. SW_NOT_FOUND: there is none. SW_CONFLICT: it is suspended, or the
 * name is taken. SW_VALIDATION_FAILED: the inputs.
 */
export async function startOperation(
  deps: StartOperationDeps,
  request: StartOperationRequest,
  caller: Caller,
): Promise<{ readonly runId: string }> {
  const { namespace, inputs } = request
  const operation = deps.operation(namespace, request.operation)
  if (operation === null)
    throw fail('SW_NOT_FOUND', `there is no operation ${namespace}/${request.operation}`, {
      remedy: 'list them: stateward operation list',
    })
  if (operation.suspended) throw fail('SW_CONFLICT', `operation ${request.operation} is suspended`)
  const trigger = triggerOf(request.operation)
  const name = request.name ?? recordName(request.operation)
  const { blueprintRef } = operation.spec
  if (isObject(blueprintRef)) {
    const blueprint = String(blueprintRef['name'])
    return startRun(deps, { namespace, blueprint, name, inputs, priority: 0, trigger }, caller)
  }
  const compiled = compileOperation(
    { namespace, name: request.operation, spec: operation.spec, place: () => null },
    { toolSchema: (tool) => deps.tools.find(tool, namespace)?.inputSchema ?? null },
  )
  if (compiled === null || !compiled.ok)
    throw fail(
      'SW_CONFLICT',
      `operation ${request.operation} is broken: ${compiled?.problems[0]?.message ?? 'it does nothing'}`,
      {
        remedy: `see what is wrong with it: stateward describe operation ${request.operation}`,
      },
    )
  const { plan, digest } = compiled
  const values = fittingInputs(resolveInputs(plan, inputs, null), `operation ${request.operation}`)
  const blueprint = {
    uid: operation.uid,
    namespace,
    name: '',
    plan,
    digest,
    revision: operation.revision,
    suspended: false,
  }
  return insertRunOf(deps, blueprint, { name, priority: 0, inputs: values, trigger }, caller)
}
