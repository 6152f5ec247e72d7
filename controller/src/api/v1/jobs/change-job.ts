import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import type { Job as Row } from '../../../store/queries/jobs.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { optionalBody } from '../schemas.ts'
import { findJob, Job, JobParams, jobDto, sampleJob } from './job-dto.ts'

export const cancelJob = route({
  operation: 'cancelJob',
  method: 'POST',
  path: '/api/v1/jobs/{job}/cancel',
  tag: 'jobs',
  access: 'runs.cancel',
  summary: 'Cancel a job',
  description:
    'Cancelling what is cancelled is no error; 409 when it has ended otherwise. A task is a step of a run and ends with it: cancel that run.',
  params: JobParams,
  body: optionalBody({ reason: Type.Optional(Type.String({ maxLength: 1000 })) }),
  answers: { 200: Job },
  example: {
    params: { job: SAMPLE.run },
    body: { reason: 'not now' },
    answer: { ...sampleJob, state: 'cancelled', completed_at: SAMPLE.later },
  },
  async answer({ params, body, caller }, context) {
    const job = await findJob(context.store.engine, params.job)
    assertRun(job, 'cancel')
    await context.services.runs.cancel({ runId: job.job_id, reason: body?.reason ?? null }, caller)
    return jobDto(await findJob(context.store.engine, job.job_id))
  },
})

export const retryJob = route({
  operation: 'retryJob',
  method: 'POST',
  path: '/api/v1/jobs/{job}/retry',
  tag: 'jobs',
  access: 'runs.retry',
  summary: 'Do a job that ended again',
  description:
    'A run goes on as another one from the step that failed; the answer is the new job. 409 when it has not ended, or was tried again before. A task is a step of a run: retry that run.',
  params: JobParams,
  answers: { 201: Job },
  example: { params: { job: SAMPLE.run }, answer: { ...sampleJob, state: 'pending' } },
  async answer({ params, caller }, context) {
    const job = await findJob(context.store.engine, params.job)
    assertRun(job, 'retry')
    const { runId } = await context.services.runs.retry({ runId: job.job_id, from: null }, caller)
    return jobDto(await findJob(context.store.engine, runId))
  },
})

function assertRun({ kind, job_id: id, run_id: run }: Row, verb: 'cancel' | 'retry'): void {
  if (kind === 'run') return
  throw fail('SW_CONFLICT', `task ${id} belongs to run ${run ?? 'none'}: it begins and ends with it`, {
    remedy: `${verb} the run: POST /api/v1/jobs/${run ?? '{run}'}/${verb}`,
    details: { run_id: run },
  })
}
