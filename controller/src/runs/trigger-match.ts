import { resolveInputs } from '../blueprints/inputs.ts'
import { matchTrigger } from '../blueprints/triggers.ts'
import { toEventValue } from '../expressions/values.ts'
import type { JsonObject } from '../lib/json.ts'
import type { LoggedEvent } from '../store/ports.ts'
import type { NewRunRequest } from './create.ts'
import type { AcceptedBlueprint, EnvironmentOf } from './ports.ts'

/** What one event asks of one blueprint. */
export type Triggered =
  | { readonly kind: 'run'; readonly request: NewRunRequest }
  /** It matched, but no run can be made of it: an input is missing or wrong. */
  | {
      readonly kind: 'refused'
      readonly blueprint: AcceptedBlueprint
      readonly trigger: string
      readonly event: LoggedEvent
      readonly problems: JsonObject[]
    }

export interface MismatchNote {
  readonly blueprint: AcceptedBlueprint
  readonly event: LoggedEvent
  /** The key that the event does not have, or what is wrong with the expression. */
  readonly missingKey: string | null
  readonly error: string | null
}

/** The runs that one event starts: at most one a trigger of every blueprint that is accepted and not suspended. Pure. */
export function triggeredBy(
  event: LoggedEvent,
  blueprints: readonly AcceptedBlueprint[],
  environmentOf: EnvironmentOf,
): { readonly triggered: readonly Triggered[]; readonly notes: readonly MismatchNote[] } {
  const value = toEventValue(event)
  const triggered: Triggered[] = []
  const notes: MismatchNote[] = []
  for (const blueprint of blueprints) {
    if (blueprint.suspended) continue
    const started = new Set<string>()
    for (const compiled of blueprint.plan.triggers) {
      const trigger = `event:${compiled.event}`
      if (started.has(trigger)) continue
      const match = matchTrigger(compiled, value)
      if (!match.matches) {
        if (match.missingKey === null && match.error === null) continue
        notes.push({ blueprint, event, missingKey: match.missingKey, error: match.error?.message ?? null })
        continue
      }
      started.add(trigger)
      const inputs = resolveInputs(blueprint.plan, {}, value)
      if (!inputs.ok) {
        triggered.push({
          kind: 'refused',
          blueprint,
          trigger,
          event,
          problems: inputs.problems.map((problem) => ({ ...problem })),
        })
        continue
      }
      triggered.push({
        kind: 'run',
        request: {
          blueprint,
          name: null,
          inputs: inputs.values,
          trigger,
          event: value,
          dedupeKey: match.dedupeKey,
          priority: 0,
          actor: event.actor,
          correlationId: event.correlation_id,
          envId: environmentOf(blueprint.namespace).id,
        },
      })
    }
  }
  return { triggered, notes }
}
