import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { INTERVENTION_STATES } from '../../../lifecycle/intervention.ts'
import { interventionById, pageInterventions } from '../../../store/queries/interventions.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { findAgent } from '../find-agent.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { NamespaceQuery, only, PageQuery, pageOf, Reference, Uuid } from '../schemas.ts'
import { Intervention, interventionDto, sampleIntervention } from './intervention-dto.ts'

export const listInterventions = route({
  operation: 'listInterventions',
  method: 'GET',
  path: '/api/v1/interventions',
  aliases: ['/interventions'],
  tag: 'interventions',
  access: 'read',
  summary: 'List interventions, the newest first',
  query: only({
    ...PageQuery,
    ...NamespaceQuery,
    agent: Type.Optional({ ...Reference, description: 'uid, `agentId` or name' }),
    state: Type.Optional(Type.Enum([...INTERVENTION_STATES])),
    in_force: Type.Optional(Type.Boolean()),
  }),
  answers: { 200: pageOf(Intervention) },
  example: { query: { agent: 'sre', in_force: true }, answer: samplePage(sampleIntervention) },
  async answer({ query, correlationId }, { store: { reader } }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
    const agent = query.agent === undefined ? null : await findAgent(reader, query.agent, query.namespace)
    const rows = await pageInterventions(reader, {
      agentUid: agent?.uid ?? null,
      namespace: query.namespace ?? null,
      state: query.state ?? null,
      inForce: query.in_force ?? null,
      after: position === null ? null : { issuedAt: position[0], id: position[1] },
      limit: query.limit + 1,
    })
    const page = { limit: query.limit, correlationId }
    return pageBody(rows, page, (last) => [last.issued_at, last.intervention_id], interventionDto)
  },
})

export const readIntervention = route({
  operation: 'readIntervention',
  method: 'GET',
  path: '/api/v1/interventions/{intervention}',
  aliases: ['/interventions/{intervention}'],
  tag: 'interventions',
  access: 'read',
  summary: 'Read an intervention',
  params: Type.Object({ intervention: Uuid }),
  answers: { 200: Intervention },
  example: { params: { intervention: SAMPLE.intervention }, answer: sampleIntervention },
  async answer({ params }, { store: { reader } }) {
    const row = await interventionById(reader, params.intervention)
    if (row === null) throw fail('SW_NOT_FOUND', `there is no intervention ${params.intervention}`)
    return interventionDto(row)
  },
})
