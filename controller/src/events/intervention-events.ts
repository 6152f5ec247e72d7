import Type from 'typebox'
import { AnyMap, type EventType, eventType, Id, Instant, orNull, Text } from './event-type.ts'

const Intervention = { intervention_id: Id, namespace: Text, agent: Text, action: Text }
const Answered = { ...Intervention, detail: orNull(Text) }

/** Events about interventions; the actor is who issued, answered or ended it. */
export const INTERVENTION_EVENTS = {
  'stateward.intervention.issued': eventType('Somebody intervened with an agent; it counts from here on.', {
    ...Intervention,
    reason: Text,
    params: AnyMap,
    in_force: Type.Boolean({ description: 'it holds until it is ended; false: all is done with it' }),
    expires_at: orNull(Instant),
  }),
  'stateward.intervention.acknowledged': eventType('An agent has heard of an intervention.', Answered),
  'stateward.intervention.applied': eventType('An agent has done as an intervention says.', Answered),
  'stateward.intervention.rejected': eventType(
    'An agent will not do as an intervention says; what is withheld from it stays withheld.',
    Answered,
  ),
  'stateward.intervention.expired': eventType(
    'An intervention was over before its agent had done as it says.',
    Answered,
  ),
  'stateward.intervention.ended': eventType('An intervention is not in force any more.', {
    ...Intervention,
    why: Type.String({ description: 'merged, resumed, replaced, superseded, expired or orphaned' }),
  }),
  'stateward.intervention.proposed': eventType('A commit says the same as an intervention.', {
    ...Intervention,
    branch: orNull(Text),
    commit: Text,
    merged: Type.Boolean(),
  }),
  'stateward.intervention.requeued': eventType(
    'A server started and tells an intervention again that was not answered.',
    Intervention,
  ),
  'stateward.task.redirected': eventType('A waiting task went to another agent.', {
    task_id: Id,
    namespace: Text,
    agent: Text,
    from: Text,
    intervention_id: Id,
  }),
} as const satisfies Record<string, EventType>
