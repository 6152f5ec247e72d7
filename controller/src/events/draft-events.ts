import Type from 'typebox'
import { Count, type EventType, eventType, Id, orNull, Text } from './event-type.ts'

const Drafted = {
  draft: Id,
  kind: Text,
  namespace: Text,
  name: Text,
  revision: Count,
  proposal: Text,
}

/** Events about drafts: what becomes of their proposals, the events of those say. */
export const DRAFT_EVENTS = {
  'stateward.draft.saved': eventType('A revision of a draft was written to the branch of its proposal.', {
    ...Drafted,
    commit: Text,
    artifact_id: orNull(Text),
  }),
  'stateward.draft.validated': eventType('A revision of a draft was looked at; its report says what was found.', {
    ...Drafted,
    is_valid: Type.Boolean(),
    issues: Count,
    artifact_id: orNull(Text),
  }),
  'stateward.draft.promoted': eventType('A draft is on the protected branch, under a version that stays as it is.', {
    ...Drafted,
    id: Text,
    version: Text,
    tag: Text,
    commit: Text,
  }),
} as const satisfies Record<string, EventType>
