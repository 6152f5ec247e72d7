import { fail } from '../lib/error-catalogue.ts'
import type { JsonObject } from '../lib/json.ts'
import { schemaViolations } from '../lib/json-schema.ts'

/** An event of others that somebody declared in the state repo, as an EventType. */
export interface DeclaredEventType {
  /** Of the EventType. */
  readonly name: string
  readonly event: string
  readonly description: string
  readonly dataSchema: JsonObject
}

/** The event types that are accepted and not suspended, at this moment. */
export interface DeclaredEventTypes {
  all(): Promise<readonly DeclaredEventType[]>
  /** By the name of the event. */
  find(event: string): Promise<DeclaredEventType | null>
}

/**
 * Refuses data that does not fit the schema of its event, with every place that is wrong; an event that nobody declared may
 * carry anything. `place` is where the data stands in the request, e.g. `body/data`. SW_EVENT_DATA.
 */
export async function checkEventData(
  types: DeclaredEventTypes,
  { name, data }: { readonly name: string; readonly data: JsonObject },
  place: string,
): Promise<void> {
  const type = await types.find(name)
  if (type === null) return
  const violations = schemaViolations(type.dataSchema, data).map(({ pointer, message }) => ({
    path: `${place}${pointer}`,
    message,
  }))
  if (violations.length === 0) return
  const [first] = violations
  throw fail('SW_EVENT_DATA', `the data of ${name} does not fit its schema: ${first!.path} ${first!.message}`, {
    details: { violations, event_type: type.name },
  })
}
