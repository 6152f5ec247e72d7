import { route } from '../../http/route.ts'
import { findGate } from '../find-run.ts'
import { GATE_REFERENCE, Gate, GateParams, gateDto, gateOf, Scope, sampleGate } from './gate-dto.ts'

export const readGate = route({
  operation: 'readGate',
  method: 'GET',
  path: '/api/v1/gates/{gate}',
  tag: 'gates',
  access: 'read',
  summary: 'Read a gate',
  description: GATE_REFERENCE,
  params: GateParams,
  query: Scope,
  answers: { 200: Gate },
  example: {
    params: { gate: 'checkmk-auto-remediate-k3q9zt.approve' },
    answer: { ...sampleGate, state: 'waiting', decisions: [], decided_at: null },
  },
  async answer({ params, query, correlationId }, context) {
    const { gate_id: stepId } = await findGate(context.store.reader, params.gate, query.namespace ?? null)
    return gateDto(await gateOf(context, stepId), correlationId)
  },
})
