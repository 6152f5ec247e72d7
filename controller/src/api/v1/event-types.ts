import Type, { type Static } from 'typebox'
import { EVENT_TYPES } from '../../events/catalogue.ts'
import type { ApiContext } from '../context.ts'
import type { Api } from '../http/typed.ts'
import { errorResponses, JsonMap, Nullable } from './schemas.ts'

const EventTypeDto = Type.Object({
  event_name: Type.String(),
  description: Type.String(),
  data_schema: JsonMap,
  declared_by: Nullable(
    Type.String({ description: 'the EventType that declares it; null = Stateward writes it itself' }),
  ),
})

/** The catalogue: names of Stateward's own events and of those that are declared, each with the JSON Schema of its `data`. */
export function addEventTypeRoutes(app: Api, { services }: ApiContext): void {
  const ours = Object.entries(EVENT_TYPES).map(
    ([name, { description, data }]): Static<typeof EventTypeDto> => ({
      event_name: name,
      description,
      // Plain JSON, without the marks TypeBox leaves on its schemas.
      data_schema: JSON.parse(JSON.stringify(data)) as Record<string, unknown>,
      declared_by: null,
    }),
  )
  app.get(
    '/api/v1/event-types',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List the events that have a schema: those of Stateward, then those that are declared',
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
    async (request) => {
      const declared = await services.eventTypes.all()
      const theirs = declared.map(({ name, event, description, dataSchema }) => ({
        event_name: event,
        description,
        data_schema: { ...dataSchema },
        declared_by: name,
      }))
      return { items: [...ours, ...theirs], next_cursor: null, correlation_id: request.id }
    },
  )
}
