import Type from 'typebox'
import { AnyMap, Count, type EventType, eventType, Instant, orNull, Text } from './event-type.ts'

const Named = { namespace: Type.String({ description: 'empty for a kind without namespaces' }), name: Text }
const Change = { ...Named, revision: Text, digest: orNull(Text) }
const Verb = { ...Named, reason: orNull(Text) }
const Override = { kind: Text, namespace: Text, name: Text, path: Text, set_by: Text }
const Revision = {
  source: Text,
  revision: Text,
  from: orNull(Text),
  outcome: Text,
  counts: AnyMap,
  issues: Count,
}

/** Events about declared objects; `resource` is the kind and the uid. */
export const OBJECT_EVENTS = {
  'stateward.object.created': eventType('A commit declared an object.', Change),
  'stateward.object.updated': eventType('A commit changed an object.', Change),
  'stateward.object.deleting': eventType(
    'A commit removed an object; it is there until what it stands for is gone.',
    Change,
  ),
  'stateward.object.deleted': eventType('What an object stood for is gone; this is how it was at last.', {
    ...Named,
    generation: Count,
    labels: AnyMap,
    annotations: AnyMap,
    spec: AnyMap,
    creationTimestamp: Instant,
  }),
  'stateward.object.status_changed': eventType('The status of an object changed.', {
    ...Named,
    ready: Text,
    reason: Text,
    message: Text,
  }),
  'stateward.object.suspended': eventType('Somebody paused an object.', Verb),
  'stateward.object.resumed': eventType('Somebody ended the pause of an object.', Verb),
} as const satisfies Record<string, EventType>

/** Events about live overrides. */
export const OVERRIDE_EVENTS = {
  'stateward.override.absorbed': eventType('An override ended: Git says the same.', Override),
  'stateward.override.superseded': eventType('An override ended: Git says something newer.', Override),
  'stateward.override.expired': eventType('An override ended: its time was up.', Override),
  'stateward.override.orphaned': eventType('An override ended: its object is gone.', Override),
} as const satisfies Record<string, EventType>

const Proposed = { proposal: Text, title: Text, author: Text, branch: Text, head: Text }

/** Events about commits that somebody is to merge. */
export const PROPOSAL_EVENTS = {
  'stateward.proposal.opened': eventType(
    'A change was proposed as commits on a branch of its own. Where one object is changed over the API, it says which; a change that was merged at once is no proposal, and has none.',
    {
      proposal: orNull(Text),
      title: Text,
      author: Text,
      kind: orNull(Text),
      namespace: orNull(Text),
      name: orNull(Text),
      file: orNull(Text),
      reason: orNull(Text),
      branch: orNull(Text),
      commit: Text,
      merged: Type.Boolean(),
    },
  ),
  'stateward.proposal.updated': eventType('The branch of a proposal holds another commit.', {
    ...Proposed,
    from: Text,
  }),
  'stateward.proposal.checked': eventType('A proposal was checked against the protected branch as it is now.', {
    ...Proposed,
    onto: Text,
    failed: Type.Array(Text),
    risk: orNull(Text),
    plan_digest: orNull(Text),
  }),
  'stateward.proposal.merged': eventType('A proposal is on the protected branch.', {
    ...Proposed,
    landed: Text,
    approvers: Type.Array(Text),
  }),
  'stateward.proposal.rejected': eventType('Somebody decided against a proposal, or withdrew it.', {
    ...Proposed,
    reason: orNull(Text),
  }),
  'stateward.proposal.expired': eventType('A proposal was open for too long.', Proposed),
  'stateward.proposal.superseded': eventType('A newer proposal about the same took the place of this one.', {
    ...Proposed,
    by: Text,
  }),
} as const satisfies Record<string, EventType>

/** Events about sources. */
export const SOURCE_EVENTS = {
  'stateward.source.revision.applied': eventType('A revision was accepted.', Revision),
  'stateward.source.revision.observed': eventType(
    'A revision was read and planned, and nothing was applied.',
    Revision,
  ),
  'stateward.source.revision.refused': eventType('A revision was not even read: nobody who may sign has signed it.', {
    source: Text,
    revision: Text,
    from: orNull(Text),
    code: Text,
    message: Text,
  }),
  'stateward.source.history_rewritten': eventType(
    'The branch was moved to a commit that does not follow from the last one.',
    {
      source: Text,
      revision: Text,
      from: orNull(Text),
    },
  ),
  'stateward.source.deletions.approved': eventType('Somebody let held-back deletions through.', {
    source: Text,
    revision: Text,
    digest: Text,
    deletions: Count,
  }),
} as const satisfies Record<string, EventType>
