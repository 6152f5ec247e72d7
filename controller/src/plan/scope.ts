import { keyOf, type ObjectKey, refOf } from '../kinds/resource.ts'
import type { ActualState } from './actual-state.ts'
import type { DesiredState } from './desired-state.ts'

/**
 * Every object whose plan may differ because these keys and files changed: who names them, directly or through others,
 * and everything in the namespace of a changed Environment.
 */
export function affectedBy(
  touched: Iterable<ObjectKey>,
  changedPaths: Iterable<string>,
  desired: DesiredState,
  actual: ActualState,
): Set<ObjectKey> {
  const affected = new Set<ObjectKey>()
  const queue: ObjectKey[] = [...touched]
  for (const path of changedPaths) for (const user of desired.usersOfFile(path)) queue.push(user)
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    if (affected.has(key)) continue
    affected.add(key)
    for (const namer of desired.namedBy(key)) queue.push(namer)
    const ref = refOf(key)
    if (ref.kind === 'Environment') for (const member of inNamespace(ref.name, desired, actual)) queue.push(member)
  }
  return affected
}

function* inNamespace(namespace: string, desired: DesiredState, actual: ActualState): Iterable<ObjectKey> {
  for (const key of desired.keys()) if (refOf(key).namespace === namespace) yield key
  for (const object of actual.values()) if (object.namespace === namespace) yield keyOf(object)
}
