import Type, { type Static } from 'typebox'
import { EVENT_TYPES } from '../../../events/catalogue.ts'
import { route } from '../../http/route.ts'
import { samplePage } from '../samples.ts'
import { JsonMap, Nullable, pageOf } from '../schemas.ts'

const EventType = Type.Object(
  {
    event_name: Type.String(),
    description: Type.String(),
    data_schema: JsonMap,
    declared_by: Nullable(
      Type.String({ description: 'the EventType that declares it; null = Stateward writes it itself' }),
    ),
  },
  { title: 'EventType' },
)

const ours = Object.entries(EVENT_TYPES).map(
  ([name, { description, data }]): Static<typeof EventType> => ({
    event_name: name,
    description,
    // Plain JSON, without the marks TypeBox leaves on its schemas.
    data_schema: JSON.parse(JSON.stringify(data)) as Record<string, unknown>,
    declared_by: null,
  }),
)

export const listEventTypes = route({
  operation: 'listEventTypes',
  method: 'GET',
  path: '/api/v1/event-types',
  tag: 'events',
  access: 'read',
  summary: 'List the events that have a schema',
  description: 'Those of Stateward, then those that are declared, each with the JSON Schema of its `data`.',
  answers: { 200: pageOf(EventType) },
  example: { answer: samplePage(ours[0]) },
  async answer({ correlationId }, { services }) {
    const declared = await services.eventTypes.all()
    const theirs = declared.map(({ name, event, description, dataSchema }) => ({
      event_name: event,
      description,
      data_schema: dataSchema,
      declared_by: name,
    }))
    return { items: [...ours, ...theirs], next_cursor: null, correlation_id: correlationId }
  },
})
