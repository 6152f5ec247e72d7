import Type, { type Static } from 'typebox'
import { INTERVENTION_STATES } from '../../../lifecycle/intervention.ts'
import { INTERVENTION_ACTIONS, INTERVENTION_ENDS, type InterventionRow } from '../../../store/queries/interventions.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Nullable, Time, Uuid } from '../schemas.ts'

export const Intervention = Type.Object(
  {
    id: Uuid,
    target_agent_id: Uuid,
    namespace: Type.String(),
    agent: Type.String(),
    action: Type.Enum([...INTERVENTION_ACTIONS]),
    params: Type.Unsafe<object>({
      ...JsonMap,
      description: 'redirect: {to, tasks}; constrain: {constraints}; terminate: {replicas} as Git declares them',
    }),
    reason: Type.String(),
    issued_by: Type.String(),
    issued_at: Time,
    state: Type.Enum([...INTERVENTION_STATES], { description: 'how far the agent is with it' }),
    acknowledged_at: Nullable(Time),
    acknowledged_by: Nullable(Type.String()),
    settled_at: Nullable(Time),
    detail: Nullable(Type.String({ description: 'what the agent said about it' })),
    expires_at: Nullable(Time),
    in_force: Type.Boolean({ description: 'what it says counts, whatever the agent does' }),
    ended_at: Nullable(Time),
    ended_why: Nullable(Type.Enum([...INTERVENTION_ENDS])),
    branch: Nullable(Type.String({ description: 'the branch that proposes the same' })),
    commit: Nullable(Type.String()),
    merged: Type.Boolean({ description: 'the commit is on the protected branch' }),
    proposal_error: Nullable(Type.String({ description: 'why its commit could not be made; it is tried again' })),
    correlation_id: Type.String(),
  },
  { title: 'Intervention' },
)

export type InterventionDto = Static<typeof Intervention>

export function interventionDto(row: InterventionRow): InterventionDto {
  const { intervention_id, agent_uid, merge, propose_at: _again, ...rest } = row
  return {
    ...rest,
    id: intervention_id,
    target_agent_id: agent_uid,
    merged: merge && row.commit !== null,
    issued_at: row.issued_at.toISOString(),
    acknowledged_at: row.acknowledged_at?.toISOString() ?? null,
    settled_at: row.settled_at?.toISOString() ?? null,
    expires_at: row.expires_at?.toISOString() ?? null,
    ended_at: row.ended_at?.toISOString() ?? null,
  }
}

export const sampleIntervention: InterventionDto = {
  id: SAMPLE.intervention,
  target_agent_id: SAMPLE.agent,
  namespace: 'default',
  agent: 'sre',
  action: 'pause',
  params: {},
  reason: 'it restarts what it should not',
  issued_by: 'user:ada',
  issued_at: SAMPLE.time,
  state: 'pending',
  acknowledged_at: null,
  acknowledged_by: null,
  settled_at: null,
  detail: null,
  expires_at: null,
  in_force: true,
  ended_at: null,
  ended_why: null,
  branch: 'proposals/pause-agent-sre',
  commit: SAMPLE.revision,
  merged: false,
  proposal_error: null,
  correlation_id: SAMPLE.correlation,
}
