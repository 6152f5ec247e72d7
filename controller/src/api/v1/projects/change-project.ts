import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { lifecycleProblem } from '../../../work/project-lifecycle.ts'
import { route } from '../../http/route.ts'
import { proposalFields, sampleProposal } from '../proposal-dto.ts'
import { SAMPLE } from '../samples.ts'
import { only } from '../schemas.ts'
import {
  findProject,
  LifecyclePhase,
  Project,
  ProjectParams,
  phaseOf,
  projectDtos,
  Scope,
  sampleProject,
} from './project-dto.ts'

export const changeProject = route({
  operation: 'changeProject',
  method: 'PATCH',
  path: '/api/v1/projects/{project}',
  aliases: ['/projects/{project}'],
  tag: 'work',
  access: 'proposals.write',
  summary: 'Propose that a project enters another phase of its life',
  description:
    'The answer holds the commit that says so. It is in force once it is merged; with `merge` it stands on the protected branch at once. 409 when a project cannot go there from where it is.',
  params: ProjectParams,
  query: Scope,
  body: only(
    {
      lifecycle_phase: LifecyclePhase,
      reason: Type.Optional(Type.String({ maxLength: 1000 })),
      merge: Type.Boolean({ default: false, description: 'put the commit on the protected branch at once' }),
    },
    { title: 'ProjectChange' },
  ),
  answers: {
    202: Type.Object(
      { project: Project, lifecycle_phase: LifecyclePhase, ...proposalFields, correlation_id: Type.String() },
      { title: 'ProjectProposal' },
    ),
  },
  example: {
    params: { project: 'platform' },
    body: { lifecycle_phase: 'paused', reason: 'waits for the new data centre', merge: false },
    answer: {
      project: sampleProject,
      lifecycle_phase: 'paused',
      ...sampleProposal('set-lifecyclephase-project-platform'),
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ params, query, body, caller, principal, correlationId }, { store: { reader }, services }) {
    const row = await findProject(reader, params.project, query.namespace)
    const problem = lifecycleProblem(phaseOf(row), body.lifecycle_phase)
    if (problem !== null) throw fail('SW_CONFLICT', `project ${row.name} cannot go there: ${problem}`)
    if (body.merge && !principal.verbs.has('proposals.approve'))
      throw fail('SW_FORBIDDEN', `${principal.name} may propose changes, but not merge them`)
    const proposal = await services.proposals.set(
      { kind: 'Project', namespace: row.namespace, name: row.name },
      { keys: ['spec', 'lifecyclePhase'], value: body.lifecycle_phase },
      { reason: body.reason ?? null, merge: body.merge },
      caller,
    )
    const [project] = await projectDtos(reader, [row])
    return { project: project!, lifecycle_phase: body.lifecycle_phase, ...proposal, correlation_id: correlationId }
  },
})
