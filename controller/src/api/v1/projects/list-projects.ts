import { pageObjects } from '../../../store/queries/objects-read.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
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
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['string', 'string'])
    const rows = await pageObjects(reader, {
      kind: 'Project',
      namespace: query.namespace ?? null,
      name: null,
      after: position === null ? null : { namespace: position[0], name: position[1] },
      limit: query.limit + 1,
    })
    const page = pageBody(
      rows,
      { limit: query.limit, correlationId },
      ({ namespace, name }) => [namespace, name],
      (row) => row,
    )
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
