import Type, { type Static } from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import type { Executor } from '../../../store/database.ts'
import { JOB_KINDS, JOB_STATES, jobById, type Job as Row } from '../../../store/queries/jobs.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Nullable, Time, Uuid } from '../schemas.ts'

export const JobKindWord = Type.Enum([...JOB_KINDS])
export const JobStateWord = Type.Enum([...JOB_STATES])

export const Job = Type.Object(
  {
    job_id: Uuid,
    kind: JobKindWord,
    namespace: Type.String(),
    name: Nullable(Type.String({ description: 'of a run' })),
    target: Nullable(Type.String({ description: 'the blueprint, or the agent' })),
    run_id: Nullable(Type.String({ description: 'the run it is, or is part of' })),
    state: JobStateWord,
    attempts: Type.Integer(),
    holder: Nullable(Type.String({ description: 'the process or the instance that has it' })),
    error: Nullable(JsonMap),
    created_at: Time,
    completed_at: Nullable(Time),
    correlation_id: Type.String(),
  },
  { title: 'Job' },
)

export const JobParams = Type.Object({ job: Uuid })

export function jobDto(row: Row): Static<typeof Job> {
  const { created_at, completed_at, ...rest } = row
  return { ...rest, created_at: created_at.toISOString(), completed_at: completed_at?.toISOString() ?? null }
}

export async function findJob(sql: Executor, id: string): Promise<Row> {
  const job = await jobById(sql, id)
  if (job === null) throw fail('SW_NOT_FOUND', `there is no job ${id}`, { remedy: 'list them: GET /api/v1/jobs' })
  return job
}

export const sampleJob: Static<typeof Job> = {
  job_id: SAMPLE.run,
  kind: 'run',
  namespace: 'default',
  name: 'checkmk-auto-remediate-k3q9zt',
  target: 'checkmk-auto-remediate',
  run_id: SAMPLE.run,
  state: 'waiting',
  attempts: 1,
  holder: null,
  error: null,
  created_at: SAMPLE.time,
  completed_at: null,
  correlation_id: SAMPLE.correlation,
}
