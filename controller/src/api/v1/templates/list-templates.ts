import { route } from '../../http/route.ts'
import { pageOfKind } from '../page-of-kind.ts'
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
    const page = await pageOfKind(reader, 'AgentTemplate', query, correlationId)
    return { ...page, items: page.items.map(templateDto) }
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
