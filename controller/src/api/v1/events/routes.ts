import type { Route } from '../../http/route.ts'
import { streamAgentEvents } from './agent-stream.ts'
import { emitEvent } from './emit-event.ts'
import { streamOperatorEvents, streamUiEvents } from './event-streams.ts'
import { listEventTypes } from './list-event-types.ts'
import { listEvents } from './list-events.ts'
import { readEvent } from './read-event.ts'
import { receiveWebhook } from './receive-webhook.ts'

/** The log: pages of it, one event, emitting one, the catalogue of names, and streams of it. */
export const EVENT_ROUTES: readonly Route[] = [
  listEvents,
  readEvent,
  emitEvent,
  receiveWebhook,
  listEventTypes,
  streamOperatorEvents,
  streamUiEvents,
  streamAgentEvents,
]
