import type { CompiledTrigger } from '../../blueprints/compiled-plan.ts'
import { resolveInputs } from '../../blueprints/inputs.ts'
import { matchTrigger } from '../../blueprints/triggers.ts'
import { toEventValue } from '../../expressions/values.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { LoggedEvent } from '../../store/ports.ts'
import type { AcceptedBlueprint, EnvironmentOf, ToolRunner } from '../ports.ts'
import { tooDear } from '../start/affordable.ts'
import type { NewRunRequest } from '../start/create.ts'

/** What one event asks of one blueprint. */
export type Triggered =
  | { readonly kind: 'run'; readonly request: NewRunRequest; readonly event: LoggedEvent }
  /** It matched, but no run can be made of it: an input is missing or wrong, or it costs more than it may. */
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
  /** Knows what steps cost; left out, nobody does. */
  tools?: Pick<ToolRunner, 'find'>,
): { readonly triggered: readonly Triggered[]; readonly notes: readonly MismatchNote[] } {
  const value = toEventValue(event)
  const triggered: Triggered[] = []
  const notes: MismatchNote[] = []
  for (const blueprint of blueprints) {
    if (blueprint.suspended) continue
    const started = new Set<string>()
    for (const compiled of blueprint.plan.triggers) {
      const trigger = compiled.webhook === null ? `event:${compiled.event}` : `webhook:${compiled.webhook.name}`
      if (started.has(trigger) || !isDeliveredTo(blueprint, compiled, event)) continue
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
      const dear = tools === undefined ? null : tooDear(tools, blueprint.plan, blueprint.namespace)
      if (dear !== null) {
        triggered.push({ kind: 'refused', blueprint, trigger, event, problems: [{ ...dear }] })
        continue
      }
      triggered.push({
        kind: 'run',
        event,
        request: {
          blueprint,
          name: null,
          inputs: inputs.values,
          trigger,
          event: value,
          dedupeKey: match.dedupeKey,
          dedupeWindowMs: compiled.dedupeWindowMs,
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

/** A webhook belongs to a namespace: what another one's key has signed does not reach it. */
function isDeliveredTo(blueprint: AcceptedBlueprint, { webhook }: CompiledTrigger, event: LoggedEvent): boolean {
  if (webhook === null) return true
  const { namespace } = blueprint
  return event.resource?.type === WEBHOOK && event.resource.id === `${namespace}/${webhook.name}`
}

/** The resource of a delivery's event; its id is `<namespace>/<name>`. */
export const WEBHOOK = 'Webhook'
