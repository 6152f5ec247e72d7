import { route } from '../../http/route.ts'
import { pageOfKind } from '../page-of-kind.ts'
import { samplePage } from '../samples.ts'
import { NamespaceQuery, only, PageQuery, pageOf } from '../schemas.ts'
import { findProject, Project, ProjectParams, projectDtos, Scope, sampleProject } from './project-dto.ts'

export const listProjects = route({
  operation: 'listProjects',
  method: 'GET',
  path: '/api/v1/projects',
  aliases: ['/projects'],
  tag: 'work',
  access: 'read',
  summary: 'List projects with what there is to do for each',
  query: only({ ...PageQuery, ...NamespaceQuery }),
  answers: { 200: pageOf(Project) },
  example: { answer: samplePage(sampleProject) },
  async answer({ query, correlationId }, { store: { reader } }) {
    const page = await pageOfKind(reader, 'Project', query, correlationId)
    return { ...page, items: await projectDtos(reader, page.items) }
  },
})

export const readProject = route({
  operation: 'readProject',
  method: 'GET',
  path: '/api/v1/projects/{project}',
  aliases: ['/projects/{project}'],
  tag: 'work',
  access: 'read',
  summary: 'Read a project',
  params: ProjectParams,
  query: Scope,
  answers: { 200: Project },
  example: { params: { project: 'platform' }, answer: sampleProject },
  async answer({ params, query }, { store: { reader } }) {
    const [project] = await projectDtos(reader, [await findProject(reader, params.project, query.namespace)])
    return project!
  },
})
