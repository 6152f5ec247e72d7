import Type from 'typebox'
import { Count, type EventType, eventType, Id, Instant, orNull, Text } from './event-type.ts'

const Instance = { instance_id: Id, namespace: Text, agent: Text, ordinal: Count }
const Process = { ...Instance, host: Text, pid: orNull(Type.Integer()) }

const Spawned = {
  namespace: Text,
  agent: Text,
  of: Text,
  owner: Text,
  parent: orNull(Text),
  lifetime: Text,
  host: Text,
}

/** Events about the processes of agents, and about agents that are part of no source. */
export const AGENT_EVENTS = {
  'stateward.agent.spawned': eventType('An agent was spawned while the fleet runs; it is part of no source.', {
    ...Spawned,
    task_id: orNull(Id),
    budget_usd: orNull(Text),
    deadline: orNull(Instant),
    reason: orNull(Text),
  }),
  'stateward.agent.despawned': eventType('A spawned agent ends: its processes are being stopped.', {
    ...Spawned,
    reason: Text,
  }),
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
  'stateward.agent.instance.health_changed': eventType(
    'An instance has not reported for some time (late, then silent), or reports again.',
    { ...Instance, from: Text, to: Text, last_heartbeat_at: orNull(Instant) },
  ),
  'stateward.agent.instance.ended': eventType('A process of an agent ended.', {
    ...Instance,
    host: Type.Optional(Text),
    pid: Type.Optional(orNull(Type.Integer())),
    exit_code: orNull(Type.Integer()),
    reason: Text,
    message: Type.Optional(Text),
  }),
} as const satisfies Record<string, EventType>
