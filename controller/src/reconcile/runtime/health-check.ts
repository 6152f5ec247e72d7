import { type HealthExpressions, healthOf } from '../../expressions/health.ts'
import { API_VERSION } from '../../kinds/definition.ts'
import { keyOf, type ObjectStatus } from '../../kinds/resource.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import type { World, WorldObject } from '../world.ts'
import type { ReconcileContext } from './reconciler.ts'

/** The expressions that the source of an object has for its kind; null when it has none. */
function expressionsFor(world: World, { source, kind }: WorldObject): HealthExpressions | null {
  const declared = world.get(keyOf({ kind: 'Source', namespace: '', name: source }))?.spec['healthCheckExprs']
  if (!Array.isArray(declared)) return null
  const found = declared.find((one) => isObject(one) && one['kind'] === kind)
  return found === undefined ? null : (found as unknown as HealthExpressions)
}

/**
 * Condition `HealthCheck`, from the expressions of the object's source over its status as the reconcile left it. What is on its way
 * or not yet known is Unknown: the object is not Ready, and it has not failed. True when there is something to say.
 */
export function reportHealthCheck(context: ReconcileContext, status: ObjectStatus): boolean {
  const { object, world, spec, conditions } = context
  const expressions = expressionsFor(world, object)
  if (expressions === null) return false
  const { name, namespace, labels, annotations, generation } = object
  const health = healthOf(expressions, {
    ...{ apiVersion: API_VERSION, kind: object.kind, spec },
    metadata: { name, ...(namespace === '' ? {} : { namespace }), labels, annotations, generation },
    status: status as unknown as JsonObject,
  })
  switch (health.state) {
    case 'current':
      conditions.set('HealthCheck', 'True', 'Succeeded', `it holds: ${health.expression}`)
      break
    case 'inProgress':
      conditions.set('HealthCheck', 'Unknown', 'Progressing', `it goes on: ${health.expression}`)
      break
    case 'unknown':
      conditions.set('HealthCheck', 'Unknown', 'Progressing', `it does not hold yet: ${expressions.current}`)
      break
    case 'failed':
      conditions.set('HealthCheck', 'False', 'HealthCheckFailed', `it failed: ${health.expression}`)
      break
    case 'broken':
      conditions.set('HealthCheck', 'Unknown', 'HealthCheckFailed', health.message)
  }
  return true
}
