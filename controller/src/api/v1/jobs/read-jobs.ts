import Type from 'typebox'
import { pageJobs } from '../../../store/queries/jobs.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { NamespaceQuery, only, PageQuery, pageOf } from '../schemas.ts'
import { findJob, Job, JobKindWord, JobParams, JobStateWord, jobDto, sampleJob } from './job-dto.ts'

export const listJobs = route({
  operation: 'listJobs',
  method: 'GET',
  path: '/api/v1/jobs',
  tag: 'jobs',
  access: 'read',
  summary: 'List jobs: runs, and tasks of agents, the newest first',
  description:
    'pending: whoever is free may take it. claimed: somebody has it. waiting: a run that waits for a decision, an answer, an event or a time.',
  query: only({
    ...PageQuery,
    ...NamespaceQuery,
    kind: Type.Optional(JobKindWord),
    state: Type.Optional(JobStateWord),
  }),
  answers: { 200: pageOf(Job) },
  example: { query: { state: 'waiting' }, answer: samplePage(sampleJob) },
  async answer({ query, correlationId }, { store: { reader } }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
    const rows = await pageJobs(reader, {
      namespace: query.namespace ?? null,
      kind: query.kind ?? null,
      state: query.state ?? null,
      after: position === null ? null : { createdAt: position[0], id: position[1] },
      limit: query.limit + 1,
    })
    return pageBody(
      rows,
      { limit: query.limit, correlationId },
      ({ created_at, job_id }) => [created_at, job_id],
      jobDto,
    )
  },
})

export const readJob = route({
  operation: 'readJob',
  method: 'GET',
  path: '/api/v1/jobs/{job}',
  tag: 'jobs',
  access: 'read',
  summary: 'Read a job',
  params: JobParams,
  answers: { 200: Job },
  example: { params: { job: SAMPLE.run }, answer: sampleJob },
  answer: async ({ params }, { store: { reader } }) => jobDto(await findJob(reader, params.job)),
})
