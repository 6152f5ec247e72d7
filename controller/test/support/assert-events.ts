import { EVENT_TYPES, eventViolations } from '../../src/events/catalogue.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import type { Executor } from '../../src/store/database.ts'

/** Every event of ours in the log stands in the catalogue, with data that fits its schema. */
export async function assertCatalogued(sql: Executor): Promise<void> {
  const rows = await sql<{ seq: number; event_name: string; data: JsonObject }[]>`
    SELECT seq, event_name, data FROM events WHERE starts_with(event_name, 'stateward.') ORDER BY seq`
  const wrong = rows.flatMap(({ seq, event_name: name, data }) => {
    const violations = eventViolations(name, data)
    if (violations === null) return [`${seq} ${name} is not one of ${Object.keys(EVENT_TYPES).length} known names`]
    return violations.map(({ pointer, message }) => `${seq} ${name} ${pointer} ${message}: ${JSON.stringify(data)}`)
  })
  if (wrong.length > 0) throw new Error(`events that the catalogue does not know:\n${wrong.slice(0, 10).join('\n')}`)
}
