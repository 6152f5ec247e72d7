import Type from 'typebox'
import type { Json } from '../../../lib/json.ts'
import { route } from '../../http/route.ts'
import { findGate } from '../find-run.ts'
import { optionalBody } from '../schemas.ts'
import { GATE_REFERENCE, Gate, GateParams, gateDto, gateOf, Scope, sampleGate } from './gate-dto.ts'

export const approveGate = decisionRoute('approve')
export const rejectGate = decisionRoute('reject')

function decisionRoute(decision: 'approve' | 'reject') {
  return route({
    operation: decision === 'approve' ? 'approveGate' : 'rejectGate',
    method: 'POST',
    path: `/api/v1/gates/{gate}/${decision}`,
    tag: 'gates',
    access: 'gates.decide',
    summary: decision === 'approve' ? 'Approve a gate' : 'Reject a gate',
    description: `${GATE_REFERENCE} The first valid decision wins; a later one is 409.`,
    params: GateParams,
    query: Scope,
    body: optionalBody({
      reason: Type.Optional(Type.String({ maxLength: 4000 })),
      input: Type.Optional(
        Type.Unknown({ description: 'the answer: has to fit the input_schema of the gate, where it has one' }),
      ),
    }),
    answers: { 200: Gate },
    example: {
      params: { gate: 'checkmk-auto-remediate-k3q9zt.approve' },
      body: { reason: 'looks right' },
      answer: {
        ...sampleGate,
        state: `${decision.replace(/e$/, '')}ed`,
        decisions: [{ ...sampleGate.decisions[0], decision }],
      },
    },
    async answer({ params, query, body, caller, correlationId }, context) {
      const { gate_id: stepId } = await findGate(context.store.engine, params.gate, query.namespace ?? null)
      // The body came as JSON.
      const input = body?.input as Json | undefined
      await context.services.gates.decide({ stepId, decision, reason: body?.reason ?? null, input }, caller)
      return gateDto(await gateOf(context, stepId), correlationId)
    },
  })
}
