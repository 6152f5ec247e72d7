import Type from 'typebox'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json } from '../../lib/json.ts'
import { listGates } from '../../store/queries/gates.ts'
import type { ApiContext } from '../context.ts'
import { idempotent } from '../http/idempotency.ts'
import { callerOf } from '../http/request-context.ts'
import type { Api } from '../http/typed.ts'
import { findGate } from './find-run.ts'
import { errorResponses, JsonMap, NamespaceQuery, Nullable, optionalBody, Reference, Time, Uuid } from './schemas.ts'

const Gate = Type.Object({
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
})

const Params = Type.Object({ gate: Reference })
const Scope = Type.Object(NamespaceQuery, { additionalProperties: false })

const Decision = optionalBody({
  reason: Type.Optional(Type.String({ maxLength: 4000 })),
  input: Type.Optional(
    Type.Unknown({ description: 'the answer: has to fit the input_schema of the gate, where it has one' }),
  ),
})

/** `POST /api/v1/gates/{id}/approve|reject`: id is the step_id, or `<run>.<step>`. The first valid decision wins. */
export function addGateRoutes(app: Api, context: ApiContext): void {
  app.get(
    '/api/v1/gates/:gate',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Read a gate',
        params: Params,
        querystring: Scope,
        response: { 200: Gate, ...errorResponses },
      },
    },
    async (request) => {
      const namespace = request.query.namespace ?? null
      const { gate_id: stepId } = await findGate(context.store.reader, request.params.gate, namespace)
      return gateDto(context, stepId, request.id)
    },
  )
  for (const decision of ['approve', 'reject'] as const) {
    app.post(
      `/api/v1/gates/:gate/${decision}`,
      {
        config: { access: 'write' },
        schema: {
          summary: decision === 'approve' ? 'Approve a gate' : 'Reject a gate',
          params: Params,
          querystring: Scope,
          body: Decision,
          response: { 200: Gate, ...errorResponses },
        },
      },
      (request, reply) =>
        idempotent(context.store, request, reply, async () => {
          const { gate_id: stepId } = await findGate(
            context.store.engine,
            request.params.gate,
            request.query.namespace ?? null,
          )
          // The body came as JSON.
          const input = request.body?.input as Json | undefined
          await context.services.gates.decide(
            { stepId, decision, reason: request.body?.reason ?? null, input },
            callerOf(request),
          )
          return { status: 200, body: await gateDto(context, stepId, request.id) }
        }),
    )
  }
}

async function gateDto(context: ApiContext, stepId: string, correlationId: string) {
  const [gate] = await listGates(context.store.engine, { stepId, limit: 1 })
  if (gate === undefined) throw fail('SW_NOT_FOUND', `gate ${stepId} is gone`)
  return {
    ...gate,
    state: decidedState(gate),
    step_id: gate.gate_id,
    approvers: [...gate.approvers],
    decisions: [...gate.decisions],
    correlation_id: correlationId,
  }
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
