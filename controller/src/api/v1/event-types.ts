import Type from 'typebox'
import { EVENT_TYPES } from '../../events/catalogue.ts'
import type { Api } from '../http/typed.ts'
import { errorResponses, JsonMap } from './schemas.ts'

const EventTypeDto = Type.Object({
  event_name: Type.String(),
  description: Type.String(),
  data_schema: JsonMap,
})

/** The catalogue: names of Stateward's own events, each with the JSON Schema of its `data`. */
export function addEventTypeRoutes(app: Api): void {
  const items = Object.entries(EVENT_TYPES).map(([name, { description, data }]) => ({
    event_name: name,
    description,
    // Plain JSON, without the marks TypeBox leaves on its schemas.
    data_schema: JSON.parse(JSON.stringify(data)) as Record<string, unknown>,
  }))
  app.get(
    '/api/v1/event-types',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List the events that Stateward writes',
        response: {
          200: Type.Object({
            items: Type.Array(EventTypeDto),
            next_cursor: Type.Null(),
            correlation_id: Type.String(),
          }),
          ...errorResponses,
        },
      },
    },
    async (request) => ({ items, next_cursor: null, correlation_id: request.id }),
  )
}
