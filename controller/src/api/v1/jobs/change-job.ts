import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import type { Job as Row } from '../../../store/queries/jobs.ts'
import { transact } from '../../../store/transact.ts'
import type { Principal } from '../../auth/principal.ts'
import type { Caller } from '../../caller.ts'
import type { ApiContext } from '../../context.ts'
import { route } from '../../http/route.ts'
import type { TaskChanged } from '../../ports/tasks.ts'
import { SAMPLE } from '../samples.ts'
import { optionalBody } from '../schemas.ts'
import { callerOfTask } from '../tasks/task-caller.ts'
import { findJob, Job, JobParams, jobDto, sampleJob } from './job-dto.ts'

export const cancelJob = route({
  operation: 'cancelJob',
  method: 'POST',
  path: '/api/v1/jobs/{job}/cancel',
  tag: 'jobs',
  access: 'runs.cancel',
  summary: 'Cancel a job',
  description:
    'Cancelling what is cancelled is no error; 409 when it has ended otherwise. A task that is a step of a run ends with that run: cancel it.',
  params: JobParams,
  body: optionalBody({ reason: Type.Optional(Type.String({ maxLength: 1000 })) }),
  answers: { 200: Job },
  example: {
    params: { job: SAMPLE.run },
    body: { reason: 'not now' },
    answer: { ...sampleJob, state: 'cancelled', completed_at: SAMPLE.later },
  },
  async answer({ params, body, caller, principal }, context) {
    const job = await findJob(context.store.engine, params.job)
    if (job.kind === 'run')
      await context.services.runs.cancel({ runId: job.job_id, reason: body?.reason ?? null }, caller)
    else
      await changeTask(context, job, principal, (tx) =>
        context.services.tasks.cancel(tx, job.job_id, callerOfTask(principal, caller)),
      )
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
    'A run goes on as another one from the step that failed; a task is asked again as another one. The answer is the new job. 409 when it has not ended, or was tried again before.',
  params: JobParams,
  answers: { 201: Job },
  example: { params: { job: SAMPLE.run }, answer: { ...sampleJob, state: 'pending' } },
  async answer({ params, caller, principal }, context) {
    const job = await findJob(context.store.engine, params.job)
    const id = job.kind === 'run' ? await again(context, job, caller) : await asked(context, job, principal, caller)
    return jobDto(await findJob(context.store.engine, id))
  },
})

async function again(context: ApiContext, job: Row, caller: Caller): Promise<string> {
  return (await context.services.runs.retry({ runId: job.job_id, from: null }, caller)).runId
}

async function asked(context: ApiContext, job: Row, principal: Principal, caller: Caller): Promise<string> {
  const request = { taskId: job.job_id, agent: null, deadline: null }
  const changed = await changeTask(context, job, principal, (tx) =>
    context.services.tasks.retry(tx, request, callerOfTask(principal, caller)),
  )
  return changed.task.task_id
}

/** Whoever may do this to runs may do it to a task only if tasks are his to change. */
async function changeTask(
  context: ApiContext,
  job: Row,
  principal: Principal,
  change: (tx: Parameters<Parameters<typeof transact>[1]>[0]) => Promise<TaskChanged>,
): Promise<TaskChanged> {
  if (!principal.verbs.has('tasks.write'))
    throw fail('SW_FORBIDDEN', `${principal.name} may not change tasks, and ${job.job_id} is one`)
  const changed = await transact(context.store, change)
  context.services.tasks.announce(changed)
  return changed
}
