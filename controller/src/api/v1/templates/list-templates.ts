import { pageObjects } from '../../../store/queries/objects-read.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { samplePage } from '../samples.ts'
import { NamespaceQuery, only, PageQuery, pageOf } from '../schemas.ts'
import { findTemplate, Scope, sampleTemplate, Template, TemplateParams, templateDto } from './template-dto.ts'

export const listTemplates = route({
  operation: 'listTemplates',
  method: 'GET',
  path: '/api/v1/templates',
  aliases: ['/templates'],
  tag: 'agents',
  access: 'read',
  summary: 'List templates of agents',
  query: only({ ...PageQuery, ...NamespaceQuery }),
  answers: { 200: pageOf(Template) },
  example: { answer: samplePage(sampleTemplate) },
  async answer({ query, correlationId }, { store: { reader } }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['string', 'string'])
    const rows = await pageObjects(reader, {
      kind: 'AgentTemplate',
      namespace: query.namespace ?? null,
      name: null,
      after: position === null ? null : { namespace: position[0], name: position[1] },
      limit: query.limit + 1,
    })
    return pageBody(
      rows,
      { limit: query.limit, correlationId },
      ({ namespace, name }) => [namespace, name],
      templateDto,
    )
  },
})

export const readTemplate = route({
  operation: 'readTemplate',
  method: 'GET',
  path: '/api/v1/templates/{template}',
  aliases: ['/templates/{template}'],
  tag: 'agents',
  access: 'read',
  summary: 'Read a template of agents',
  description: '`{template}` is its name or its id.',
  params: TemplateParams,
  query: Scope,
  answers: { 200: Template },
  example: { params: { template: 'orchestrator' }, answer: sampleTemplate },
  answer: async ({ params, query }, { store: { reader } }) =>
    templateDto(await findTemplate(reader, params.template, query.namespace)),
})
