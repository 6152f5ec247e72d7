import Type from 'typebox'
import { Count, type EventType, eventType, Id, orNull, Text } from './event-type.ts'

/** One agent is `agent`, several are `agents`. */
const Receivers = {
  namespace: Text,
  agent: Type.Optional(Text),
  agents: Type.Optional(Type.Array(Text)),
}

/** Events about messages. What a message says is not in the log. */
export const MESSAGE_EVENTS = {
  'stateward.message.sent': eventType('A message was sent; the id of the event is that of the message.', {
    ...Receivers,
    from: Text,
    to_kind: Type.Enum(['agent', 'role', 'topic']),
    to: Text,
    topic: orNull(Text),
    thread_id: Id,
    reply_to: orNull(Id),
    type: Text,
    subject: orNull(Text),
  }),
  'stateward.message.acknowledged': eventType('An agent acknowledged a message.', {
    ...Receivers,
    thread_id: Id,
    from: Text,
  }),
  'stateward.message.dead_lettered': eventType(
    'A message was handed out in vain too often, or is over: it is given up.',
    {
      ...Receivers,
      thread_id: Id,
      from: Text,
      attempts: Count,
      reason: Type.Enum(['unacknowledged', 'expired']),
    },
  ),
  'stateward.message.redelivered': eventType('A message that was given up is handed out again.', {
    ...Receivers,
    thread_id: Id,
  }),
} as const satisfies Record<string, EventType>

/** Events about the bus itself. */
export const BUS_EVENTS = {
  'stateward.bus.restarted': eventType(
    'A process serves the API and its streams again; streams say it as `bus.restarted` too.',
    {
      process: Id,
      host: Text,
      phases: Type.Array(
        Type.Object(
          { name: Text, ms: Type.Number({ minimum: 0, description: 'since the start of the process' }) },
          { additionalProperties: false },
        ),
        { description: 'what the start went through, in order' },
      ),
    },
  ),
} as const satisfies Record<string, EventType>
