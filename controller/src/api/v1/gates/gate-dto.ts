import Type, { type Static } from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { type GateDto, listGates } from '../../../store/queries/gates.ts'
import type { ApiContext } from '../../context.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, NamespaceQuery, Nullable, only, Reference, Time, Uuid } from '../schemas.ts'

export const GateParams = Type.Object({ gate: Reference })
export const Scope = only(NamespaceQuery)
export const GATE_REFERENCE = '`{gate}` is the step_id, or `<run>.<step>`.'

export const Gate = Type.Object(
  {
    gate_id: Uuid,
    step_id: Uuid,
    run_id: Uuid,
    run: Type.String(),
    namespace: Type.String(),
    blueprint: Type.String(),
    step: Type.String({ description: 'path of the step in its blueprint' }),
    mode: Type.String({
      description: 'manual, pullRequest, policy, or quarantine: an effect whose outcome nobody knows',
    }),
    state: Type.String({ description: 'waiting, approved, rejected, expired or cancelled' }),
    message: Nullable(Type.String()),
    approvers: Type.Array(Type.String()),
    min_approvals: Type.Integer(),
    input_schema: Nullable(JsonMap),
    self_approval: Type.Boolean({ description: 'whether whoever started the run may approve' }),
    input_digest: Type.String({ description: 'digest of what is asked: an Approval in the state repo names it' }),
    proposal: Nullable(Type.String({ description: 'branch whose merge decides the gate' })),
    is_proposed: Type.Boolean({ description: 'whether that branch was made' }),
    decisions: Type.Array(
      Type.Object({ decision: Type.String(), actor: Type.String(), reason: Nullable(Type.String()), decided_at: Time }),
    ),
    created_at: Time,
    decided_at: Nullable(Time),
    timeout_at: Nullable(Time),
    correlation_id: Type.String(),
  },
  { title: 'Gate' },
)

export const sampleGate: Static<typeof Gate> = {
  gate_id: SAMPLE.step,
  step_id: SAMPLE.step,
  run_id: SAMPLE.run,
  run: 'checkmk-auto-remediate-k3q9zt',
  namespace: 'default',
  blueprint: 'checkmk-auto-remediate',
  step: 'approve',
  mode: 'manual',
  state: 'approved',
  message: 'restart nginx on web-1?',
  approvers: [],
  min_approvals: 1,
  input_schema: null,
  self_approval: true,
  input_digest: SAMPLE.digest,
  proposal: null,
  is_proposed: false,
  decisions: [{ decision: 'approve', actor: 'user:ada', reason: 'looks right', decided_at: SAMPLE.later }],
  created_at: SAMPLE.time,
  decided_at: SAMPLE.later,
  timeout_at: null,
  correlation_id: SAMPLE.correlation,
}

export async function gateOf(context: ApiContext, stepId: string): Promise<GateDto> {
  const [gate] = await listGates(context.store.engine, { stepId, limit: 1 })
  if (gate === undefined) throw fail('SW_NOT_FOUND', `gate ${stepId} is gone`)
  return gate
}

export function gateDto(gate: GateDto, correlationId: string) {
  return { ...gate, state: decidedState(gate), step_id: gate.gate_id, correlation_id: correlationId }
}

/** The row follows with the run's next batch; whoever decided is told what the decision made of it. */
function decidedState({
  state,
  decisions,
  min_approvals: wanted,
}: {
  readonly state: string
  readonly decisions: readonly { readonly decision: string }[]
  readonly min_approvals: number
}): string {
  if (state !== 'waiting') return state
  if (decisions.some(({ decision }) => decision === 'reject')) return 'rejected'
  return decisions.length >= wanted ? 'approved' : 'waiting'
}
