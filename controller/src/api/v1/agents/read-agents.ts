import Type from 'typebox'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import type { AgentStanding } from '../../ports/agents.ts'
import { samplePage } from '../samples.ts'
import { NamespaceQuery, only, PageQuery, pageOf, Reference } from '../schemas.ts'
import { AgentHealth, AgentRecord, agentDto, healthDto, sampleAgent, sampleHealth } from './agent-dto.ts'
import { findAgentFor, noAgent } from './find-agent.ts'

const placeOf = ({ namespace, name }: AgentStanding) => [namespace, name]

export const listAgents = route({
  operation: 'listAgents',
  method: 'GET',
  path: '/api/v1/agents',
  aliases: ['/agents'],
  tag: 'agents',
  access: 'read',
  summary: 'List agents with how they stand',
  query: only({ ...PageQuery, ...NamespaceQuery }),
  answers: { 200: pageOf(AgentRecord) },
  example: { answer: samplePage(sampleAgent) },
  async answer({ query, correlationId }, { services }) {
    const rows = await services.agentReaders.page(pageRequest(query))
    return pageBody(rows, { limit: query.limit, correlationId }, placeOf, agentDto)
  },
})

export const listAgentHealth = route({
  operation: 'listAgentHealth',
  method: 'GET',
  path: '/api/v1/agents/health',
  aliases: ['/agents/health'],
  tag: 'agents',
  access: 'read',
  summary: 'List the health of agents: status, last heartbeat, current task',
  query: only({ ...PageQuery, ...NamespaceQuery }),
  answers: { 200: pageOf(AgentHealth) },
  example: { answer: samplePage(sampleHealth) },
  async answer({ query, correlationId }, { services }) {
    const rows = await services.agentReaders.page(pageRequest(query))
    return pageBody(rows, { limit: query.limit, correlationId }, placeOf, healthDto)
  },
})

export const readAgent = route({
  operation: 'readAgent',
  method: 'GET',
  path: '/api/v1/agents/{agent}',
  aliases: ['/agents/{agent}'],
  tag: 'agents',
  access: 'read',
  summary: 'Read an agent and how it stands',
  description: '`{agent}` is the uid, the `agentId` or the name of the agent.',
  params: Type.Object({ agent: Reference }),
  query: only(NamespaceQuery),
  answers: { 200: AgentRecord },
  example: { params: { agent: 'sre' }, answer: sampleAgent },
  async answer({ params, query, principal }, context) {
    const { uid } = await findAgentFor(context, params.agent, query.namespace, principal)
    const agent = await context.services.agentReaders.find(uid)
    if (agent === null) throw noAgent(params.agent)
    return agentDto(agent)
  },
})

export const readAgentHealth = route({
  operation: 'readAgentHealth',
  method: 'GET',
  path: '/api/v1/agents/{agent}/health',
  aliases: ['/agents/{agent}/health'],
  tag: 'agents',
  access: 'read',
  summary: 'Read the health of an agent and of each of its instances',
  description: '`{agent}` is the uid, the `agentId` or the name of the agent.',
  params: Type.Object({ agent: Reference }),
  query: only(NamespaceQuery),
  answers: { 200: AgentHealth },
  example: { params: { agent: 'sre' }, answer: sampleHealth },
  async answer({ params, query, principal }, context) {
    const { uid } = await findAgentFor(context, params.agent, query.namespace, principal)
    const agent = await context.services.agentReaders.find(uid)
    if (agent === null) throw noAgent(params.agent)
    return healthDto(agent)
  },
})

function pageRequest(query: { readonly namespace?: string; readonly cursor?: string; readonly limit: number }): {
  namespace: string | null
  after: { namespace: string; name: string } | null
  limit: number
} {
  const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['string', 'string'])
  return {
    namespace: query.namespace ?? null,
    after: position === null ? null : { namespace: position[0], name: position[1] },
    limit: query.limit + 1,
  }
}
