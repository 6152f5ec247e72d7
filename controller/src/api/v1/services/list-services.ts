import { route } from '../../http/route.ts'
import { pageOfKind } from '../page-of-kind.ts'
import { samplePage } from '../samples.ts'
import { NamespaceQuery, only, PageQuery, pageOf } from '../schemas.ts'
import { findService, Scope, Service, ServiceParams, sampleService, serviceDtos } from './service-dto.ts'

export const listServices = route({
  operation: 'listServices',
  method: 'GET',
  path: '/api/v1/services',
  aliases: ['/services', '/api/v1/operations'],
  tag: 'operations',
  access: 'read',
  summary: 'List operations with their last run',
  query: only({ ...PageQuery, ...NamespaceQuery }),
  answers: { 200: pageOf(Service) },
  example: { answer: samplePage(sampleService) },
  async answer({ query, correlationId }, { store: { reader } }) {
    const page = await pageOfKind(reader, 'Operation', query, correlationId)
    return { ...page, items: await serviceDtos(reader, page.items) }
  },
})

export const readService = route({
  operation: 'readService',
  method: 'GET',
  path: '/api/v1/services/{service}',
  aliases: ['/services/{service}', '/api/v1/operations/{service}'],
  tag: 'operations',
  access: 'read',
  summary: 'Read an operation',
  params: ServiceParams,
  query: Scope,
  answers: { 200: Service },
  example: { params: { service: 'http-check' }, answer: sampleService },
  async answer({ params, query }, { store: { reader } }) {
    const [service] = await serviceDtos(reader, [await findService(reader, params.service, query.namespace)])
    return service!
  },
})
