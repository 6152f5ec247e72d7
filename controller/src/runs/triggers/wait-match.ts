import { takesEvent } from '../../blueprints/triggers.ts'
import { evaluateFilter } from '../../expressions/filter.ts'
import { type EventValue, type ExpressionValues, toEventValue } from '../../expressions/values.ts'
import type { LoggedEvent } from '../../store/ports.ts'
import type { OpenWait } from '../../store/queries/waits.ts'

/** An event that ends a wait. */
export interface Delivery {
  readonly wait: OpenWait
  readonly event: EventValue
  readonly actor: string
}

/**
 * Which waits these events end: for each the first one that was logged after it began, has the name and passes the
 * filter. A filter that reads a key the event does not have, or fails otherwise, does not match. Pure.
 */
export function deliveriesOf(events: readonly LoggedEvent[], waits: readonly OpenWait[]): Delivery[] {
  return waits.flatMap((wait): Delivery[] => {
    for (const logged of events) {
      if (logged.seq <= wait.from_seq || !takesEvent(wait.event, logged.event_name)) continue
      const event = toEventValue(logged)
      const values: ExpressionValues = { ...wait.bindings, event }
      if (wait.filter === null || evaluateFilter(wait.filter, values).matched)
        return [{ wait, event, actor: logged.actor }]
    }
    return []
  })
}
