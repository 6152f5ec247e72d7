import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { samplePage } from '../samples.ts'
import { NamespaceQuery, only, PageQuery, pageOf } from '../schemas.ts'
import { sampleTool, Tool, toolDto } from './tool-dto.ts'

export const ToolParams = Type.Object({
  tool: Type.String({ minLength: 1, maxLength: 253, description: 'name or alias of a tool' }),
})

export const listTools = route({
  operation: 'listTools',
  method: 'GET',
  path: '/api/v1/tools',
  tag: 'tools',
  access: 'read',
  summary: 'List the tools of a namespace by name',
  description: 'Built-in ones, and those that the state repo declares, as runs know them at this moment.',
  query: only({ ...PageQuery, ...NamespaceQuery }),
  answers: { 200: pageOf(Tool) },
  example: { query: { limit: 10 }, answer: samplePage(sampleTool) },
  async answer({ query, correlationId }, { services }) {
    const after = query.cursor === undefined ? '' : String(decodeCursor(query.cursor, ['string'])[0])
    const all = services.views.capabilities(query.namespace ?? 'default').filter(({ name }) => name > after)
    const page = { limit: query.limit, correlationId }
    return pageBody(all.slice(0, query.limit + 1), page, ({ name }) => [name], toolDto)
  },
})

export const readTool = route({
  operation: 'readTool',
  method: 'GET',
  path: '/api/v1/tools/{tool}',
  tag: 'tools',
  access: 'read',
  summary: 'Read a tool: what it takes, answers, may do and costs',
  params: ToolParams,
  query: only(NamespaceQuery),
  answers: { 200: Tool },
  example: { params: { tool: 'http.call' }, answer: sampleTool },
  async answer({ params, query }, { services }) {
    const namespace = query.namespace ?? 'default'
    const all = services.views.capabilities(namespace)
    const found =
      all.find(({ name }) => name === params.tool) ?? all.find(({ aliases }) => aliases.includes(params.tool))
    if (found === undefined) throw fail('SW_NOT_FOUND', `there is no tool ${params.tool} in namespace ${namespace}`)
    return toolDto(found)
  },
})
