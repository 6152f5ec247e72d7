import Type, { type Static } from 'typebox'
import { POINTS } from '../../../policy/evaluate/request.ts'
import { DECISION_EFFECTS } from '../../../policy/evaluate/verdict.ts'
import type { DecisionRow } from '../../../store/journal.ts'
import type { PolicyVersionRow } from '../../../store/queries/policies.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Nullable, Time, Uuid } from '../schemas.ts'

export const PolicyVersion = Type.Object(
  {
    uid: Uuid,
    version: Type.Integer({ description: 'it never changes: an edit of the policy is a new one' }),
    namespace: Type.String(),
    name: Type.String(),
    digest: Type.String(),
    spec: JsonMap,
    revision: Type.String({ description: 'the commit that brought it' }),
    activated_at: Time,
    activated_by: Type.String(),
  },
  { title: 'PolicyVersion' },
)

export function policyVersionDto(row: PolicyVersionRow): Static<typeof PolicyVersion> {
  return { ...row, activated_at: row.activated_at.toISOString() }
}

export const samplePolicyVersion: Static<typeof PolicyVersion> = {
  uid: SAMPLE.item,
  version: 3,
  namespace: 'default',
  name: 'production',
  digest: SAMPLE.digest,
  spec: { rules: [{ id: 'no-destroy', effect: 'deny', match: { action: 'infra.destroy' } }] },
  revision: SAMPLE.revision,
  activated_at: SAMPLE.time,
  activated_by: 'user:ada',
}

export const EffectWord = Type.Enum([...DECISION_EFFECTS])
export const PointWord = Type.Enum([...POINTS])

export const PolicyDecision = Type.Object(
  {
    decision_id: Uuid,
    decided_at: Time,
    point: PointWord,
    action: Type.String(),
    subject: Type.String({ description: 'who asked' }),
    namespace: Type.String({ description: 'of what it is about; empty = it has none' }),
    resource_type: Type.String(),
    resource_name: Type.String(),
    env_id: Type.String(),
    risk: Type.String(),
    effect: EffectWord,
    policy: Nullable(
      Type.String({
        description:
          '<namespace>/<name> of the one that decided; null = those about it only record what they would decide',
      }),
    ),
    policy_version: Nullable(Type.Integer()),
    rule: Nullable(Type.String()),
    reason: Type.String(),
    opinions: Type.Array(JsonMap, {
      description: 'what each policy said: policy, version, rule, effect, reason, enforced',
    }),
    inputs_digest: Type.String({ description: 'sha256 of what was asked' }),
    inputs: Nullable(JsonMap),
    run_id: Nullable(Uuid),
    step_id: Nullable(Uuid),
    proposal: Nullable(Type.String()),
    correlation_id: Type.String(),
  },
  { title: 'PolicyDecision' },
)

export function policyDecisionDto(row: DecisionRow): Static<typeof PolicyDecision> {
  const { policy_uid: _, decided_at, opinions, point, ...rest } = row
  return {
    ...rest,
    point: point as Static<typeof PointWord>,
    opinions: [...opinions],
    decided_at: decided_at.toISOString(),
  }
}

export const samplePolicyDecision: Static<typeof PolicyDecision> = {
  decision_id: SAMPLE.item,
  decided_at: SAMPLE.time,
  point: 'tool_call',
  action: 'ssh.run',
  subject: 'user:ada',
  namespace: 'default',
  resource_type: 'tool',
  resource_name: 'ssh.run',
  env_id: 'default',
  risk: 'high',
  effect: 'require_approval',
  policy: 'default/remote-commands',
  policy_version: 1,
  rule: 'remote-commands-need-an-operator',
  reason: 'needs an approval of role:operator',
  opinions: [
    {
      policy: 'default/remote-commands',
      version: 1,
      rule: 'remote-commands-need-an-operator',
      effect: 'require_approval',
      reason: 'needs an approval of role:operator',
      enforced: true,
    },
  ],
  inputs_digest: SAMPLE.digest,
  inputs: null,
  run_id: SAMPLE.run,
  step_id: SAMPLE.step,
  proposal: null,
  correlation_id: SAMPLE.correlation,
}
