import { type Health, type HealthExpressions, type HealthSubject, healthOf, worstOf } from '../../expressions/health.ts'
import { API_VERSION } from '../../kinds/definition.ts'
import { keyOf, type ObjectStatus } from '../../kinds/resource.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import type { World, WorldObject } from '../world.ts'
import type { ReconcileContext } from './reconciler.ts'

/** What was judged, by which expressions, and what they say of it. */
interface Judged {
  /** Before the message, where it is not the object itself. */
  readonly of: string
  readonly expressions: HealthExpressions
  readonly health: Health
}

/** The expressions that the source of an object has for a kind; null when it has none. */
function expressionsFor(world: World, { source }: WorldObject, kind: string): HealthExpressions | null {
  const declared = world.get(keyOf({ kind: 'Source', namespace: '', name: source }))?.spec['healthCheckExprs']
  if (!Array.isArray(declared)) return null
  const found = declared.find((one) => isObject(one) && one['kind'] === kind)
  return found === undefined ? null : (found as unknown as HealthExpressions)
}

/**
 * Condition `HealthCheck`, from the expressions of the object's source over its status as the reconcile left it, and over the
 * `pods` that are made of it as the cluster tells of them; the worst counts. What is on its way or not yet known is Unknown: the
 * object is not Ready, and it has not failed. True when there is something to say.
 */
export function reportHealthCheck(
  context: ReconcileContext,
  status: ObjectStatus,
  pods: readonly HealthSubject[],
): boolean {
  const worst = worstOf([...judgedObject(context, status), ...judgedPods(context, pods)])
  if (worst === null) return false
  const { conditions } = context
  const { of, health, expressions } = worst
  switch (health.state) {
    case 'current':
      conditions.set('HealthCheck', 'True', 'Succeeded', `${of}it holds: ${health.expression}`)
      break
    case 'inProgress':
      conditions.set('HealthCheck', 'Unknown', 'Progressing', `${of}it goes on: ${health.expression}`)
      break
    case 'unknown':
      conditions.set('HealthCheck', 'Unknown', 'Progressing', `${of}it does not hold yet: ${expressions.current}`)
      break
    case 'failed':
      conditions.set('HealthCheck', 'False', 'HealthCheckFailed', `${of}it failed: ${health.expression}`)
      break
    case 'broken':
      conditions.set('HealthCheck', 'Unknown', 'HealthCheckFailed', `${of}${health.message}`)
  }
  return true
}

function judgedObject({ object, world, spec }: ReconcileContext, status: ObjectStatus): Judged[] {
  const expressions = expressionsFor(world, object, object.kind)
  if (expressions === null) return []
  const { name, namespace, labels, annotations, generation } = object
  const health = healthOf(expressions, {
    ...{ apiVersion: API_VERSION, kind: object.kind, spec },
    metadata: { name, ...(namespace === '' ? {} : { namespace }), labels, annotations, generation },
    status: status as unknown as JsonObject,
  })
  return [{ of: '', expressions, health }]
}

function judgedPods({ object, world }: ReconcileContext, pods: readonly HealthSubject[]): Judged[] {
  const expressions = pods.length === 0 ? null : expressionsFor(world, object, 'Pod')
  if (expressions === null) return []
  return pods.map((pod) => ({
    of: `pod ${String(pod.metadata['name'])}: `,
    expressions,
    health: healthOf(expressions, pod),
  }))
}
