import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { isUuid } from '../../../lib/ids.ts'
import { eventById } from '../../../store/queries/events-page.ts'
import { route } from '../../http/route.ts'
import { Event, eventDto, sampleEvent } from '../event-dto.ts'
import { CLOUD_EVENT, wantsCloudEvents } from './cloud-event-http.ts'
import { toCloudEvent } from './cloud-events.ts'

export const readEvent = route({
  operation: 'readEvent',
  method: 'GET',
  path: '/api/v1/events/{event_id}',
  tag: 'events',
  access: 'read',
  summary: 'Read one event',
  description: 'With `Accept: application/cloudevents+json` as a CloudEvent 1.0.',
  params: Type.Object({ event_id: Type.String() }),
  answers: { 200: Event },
  example: { params: { event_id: sampleEvent.event_id }, answer: sampleEvent },
  async answer({ params: { event_id: id }, headers, header }, { store }) {
    const event = isUuid(id.toLowerCase()) ? await eventById(store.reader, id.toLowerCase()) : null
    if (event === null)
      throw fail('SW_NOT_FOUND', `there is no event ${id}`, { remedy: 'events are listed by GET /api/v1/events' })
    if (!wantsCloudEvents(headers)) return eventDto(event)
    header('content-type', CLOUD_EVENT)
    // Another shape, for who asked for it by name.
    return toCloudEvent(event) as never
  },
})
