import { compileDefaults, type Filler } from '../../kinds/defaults.ts'
import { kindOf } from '../../kinds/registry.ts'
import type { JsonObject } from '../../lib/json.ts'

const fillers = new Map<string, Filler | null>()

/** A merged spec with the defaults of its kind; null = there is none. */
export function filled(kind: string, spec: JsonObject | undefined): JsonObject | null {
  if (spec === undefined) return null
  let fill = fillers.get(kind)
  if (fill === undefined) {
    const definition = kindOf(kind)
    fill = definition === undefined ? null : compileDefaults(definition.mergedSpec ?? definition.spec)
    fillers.set(kind, fill)
  }
  return fill === null ? spec : (fill(spec) as JsonObject)
}
