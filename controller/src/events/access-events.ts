import Type from 'typebox'
import { type EventType, eventType, Id, Instant, orNull, Text } from './event-type.ts'

const Key = {
  key_id: Id,
  name: Text,
  prefix: Type.String({ description: 'the beginning of the key' }),
  roles: Type.Array(Text),
  verbs: orNull(Type.Array(Text)),
  expires_at: orNull(Instant),
}

const Session = {
  session_id: Id,
  principal: Type.String({ description: 'whom the browser stands for' }),
  via: Type.Enum(['link', 'oidc']),
  expires_at: Instant,
}

/** Events about who may do what. */
export const ACCESS_EVENTS = {
  'stateward.access.allowed': eventType('Somebody was let do something privileged; written before it was done.', {
    verb: Text,
    operation: Text,
    path: Text,
  }),
  'stateward.access.denied': eventType('Somebody asked for something privileged and was refused.', {
    verb: Text,
    operation: Text,
    path: Text,
    code: Type.String({ description: 'unauthenticated or forbidden' }),
    count: Type.Integer({
      minimum: 1,
      description: 'how often since the last such event about the same caller and operation',
    }),
  }),
  'stateward.access.link_created': eventType('A link was made that signs one browser in to the page.', Session),
  'stateward.access.session_started': eventType('A browser was signed in to the page: it reads.', Session),
  'stateward.access.session_ended': eventType('A browser was signed out.', Session),
  'stateward.key.created': eventType('An API key was made.', Key),
  'stateward.key.revoked': eventType('An API key was revoked: it opens nothing any more.', Key),
} as const satisfies Record<string, EventType>
