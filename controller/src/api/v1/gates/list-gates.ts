import Type from 'typebox'
import { GATE_STATES } from '../../../lifecycle/gate.ts'
import { listGates as pageGates } from '../../../store/queries/gates.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { samplePage } from '../samples.ts'
import { NamespaceQuery, only, PageQuery, pageOf, Uuid } from '../schemas.ts'
import { Gate, gateDto, sampleGate } from './gate-dto.ts'

export const listGates = route({
  operation: 'listGates',
  method: 'GET',
  path: '/api/v1/gates',
  tag: 'gates',
  access: 'read',
  summary: 'List gates, the newest first',
  description:
    'Of all runs, with who decided what. `state=waiting` is what waits for somebody; `order=asc` puts the longest waiting first.',
  query: only({
    ...PageQuery,
    ...NamespaceQuery,
    state: Type.Optional(Type.Enum([...GATE_STATES])),
    run_id: Type.Optional(Uuid),
    order: Type.Enum(['desc', 'asc'], { default: 'desc', description: 'desc = the newest first' }),
  }),
  answers: { 200: pageOf(Gate) },
  example: {
    query: { state: 'waiting', order: 'asc' },
    answer: samplePage({ ...sampleGate, state: 'waiting', decisions: [], decided_at: null }),
  },
  async answer({ query, correlationId }, { store: { reader } }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
    const rows = await pageGates(reader, {
      ...(query.namespace === undefined ? {} : { namespace: query.namespace }),
      ...(query.state === undefined ? {} : { state: query.state }),
      ...(query.run_id === undefined ? {} : { runId: query.run_id }),
      order: query.order,
      after: position === null ? null : { createdAt: position[0], stepId: position[1] },
      limit: query.limit + 1,
    })
    const page = { limit: query.limit, correlationId }
    return pageBody(
      rows,
      page,
      (last) => [last.created_at, last.gate_id],
      (gate) => gateDto(gate, correlationId),
    )
  },
})
