import Type from 'typebox'
import { Count, type EventType, eventType, Id, Instant, orNull, Text } from './event-type.ts'

const Labels = Type.Record(Text, Text)
const Token = {
  token_id: Id,
  prefix: Type.String({ description: 'the beginning of the token' }),
  host: orNull(Text),
  labels: Labels,
  uses_left: orNull(Count),
  expires_at: Instant,
}

/** Events about the machines that run agents. */
export const HOST_EVENTS = {
  'stateward.host.token.created': eventType('A token was made with which a machine can join.', Token),
  'stateward.host.token.revoked': eventType('A join token was revoked.', Token),
  'stateward.host.joined': eventType('A machine joined as a host.', {
    host: Text,
    labels: Labels,
    agent_slots: Count,
    token_id: Id,
  }),
  'stateward.host.connected': eventType('A joined host began to supervise its agents.', { host: Text, session: Id }),
  'stateward.host.disconnected': eventType('A joined host ended; nothing of it runs any more.', {
    host: Text,
    session: Id,
  }),
  'stateward.host.lease.expired': eventType('The lease of a host ended: its agents are started elsewhere.', {
    host: Text,
    session: orNull(Id),
    instances: Count,
  }),
  'stateward.host.phase.reached': eventType('A host reached a phase of its start.', {
    host: Text,
    phase: Text,
    boot_duration_ms: orNull(Count),
  }),
  'stateward.host.cordoned': eventType('A host takes no new instances.', { host: Text }),
  'stateward.host.uncordoned': eventType('A host takes new instances again.', { host: Text }),
  'stateward.host.drain.started': eventType('What runs on a host is moved elsewhere.', {
    host: Text,
    instances: Count,
  }),
  'stateward.host.drain.completed': eventType('Nothing runs on a drained host any more.', { host: Text }),
  'stateward.host.removed': eventType('A joined host was removed; its credential is worth nothing.', { host: Text }),
} as const satisfies Record<string, EventType>
