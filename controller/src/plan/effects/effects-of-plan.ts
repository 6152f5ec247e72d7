import { keyOf, type ObjectKey } from '../../kinds/resource.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { ActualState } from '../actual-state.ts'
import { effectiveSpec } from '../effective-spec.ts'
import type { Plan } from '../planned.ts'
import { type EffectsInput, effectsOf, type PlannedEffects } from './effects-of.ts'

/** Kinds that effects of other objects are read from: where agents may run, how much harm a tool can do. */
const SURROUNDINGS = ['Host', 'Tool']

/**
 * What a plan does to the world. Of what is applied only the changed objects and those that effects of others are read from
 * are merged, so a small change of a large state stays small.
 */
export function effectsOfPlan(
  made: Plan,
  actual: ActualState,
  builtinToolRisk: EffectsInput['builtinToolRisk'],
): PlannedEffects {
  const before = new Map<ObjectKey, JsonObject>()
  for (const change of made.changes) {
    const key = keyOf(change)
    if (actual.has(key)) before.set(key, specBefore(key, actual))
  }
  if (made.changes.length > 0)
    for (const [key, { kind }] of actual) if (SURROUNDINGS.includes(kind)) before.set(key, specBefore(key, actual))
  const changed = new Map([...made.effective].map(([key, { spec }]) => [key, spec]))
  return effectsOf({ changes: made.changes, before, changed, builtinToolRisk })
}

/** Template ← object ← environment, as they were applied. */
export function specBefore(key: ObjectKey, actual: ActualState): JsonObject {
  const asResource = (object: NonNullable<ReturnType<ActualState['get']>>) => ({
    ...object,
    origin: { file: object.file, document: object.document },
  })
  const around = {
    get: (other: ObjectKey) => {
      const object = actual.get(other)
      return object === undefined ? null : asResource(object)
    },
    fileOid: () => null,
  }
  return effectiveSpec(asResource(actual.get(key)!), around).spec
}
