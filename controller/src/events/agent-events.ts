import Type from 'typebox'
import { Count, type EventType, eventType, Id, orNull, Text } from './event-type.ts'

const Instance = { instance_id: Id, ordinal: Count }
const Process = { ...Instance, host: Text, pid: orNull(Type.Integer()) }

/** Events about the processes of agents. */
export const AGENT_EVENTS = {
  'stateward.agent.instance.started': eventType('A process of an agent was started.', {
    ...Process,
    restart_count: Count,
  }),
  'stateward.agent.instance.adopted': eventType('A process of an agent was found alive after a restart.', Process),
  'stateward.agent.instance.registered': eventType('A process of an agent said that it is there.', Process),
  'stateward.agent.instance.draining': eventType('A process of an agent gets no more tasks and will be stopped.', {
    ...Instance,
    pid: orNull(Type.Integer()),
    reason: Text,
  }),
  'stateward.agent.instance.ended': eventType('A process of an agent ended.', {
    ...Instance,
    host: Type.Optional(Text),
    pid: Type.Optional(orNull(Type.Integer())),
    exit_code: orNull(Type.Integer()),
    reason: Text,
    message: Type.Optional(Text),
  }),
} as const satisfies Record<string, EventType>
