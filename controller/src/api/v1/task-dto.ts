import Type, { type Static } from 'typebox'
import { formatUsd } from '../../lib/usd.ts'
import { BULK_ROWS, type TaskRow } from '../../store/queries/tasks.ts'
import { SAMPLE } from './samples.ts'
import { JsonMap, Nullable, Time, Uuid } from './schemas.ts'

export const TASK_STATUSES = ['queued', 'leased', 'completed', 'failed', 'cancelled'] as const

const TaskFailure = Type.Object(
  { code: Type.String(), message: Type.String(), retryable: Type.Boolean() },
  { title: 'TaskFailure' },
)

/** Of a task that others are parts of. */
const Progress = Type.Object(
  {
    done: Type.Integer({ description: 'parts that ended' }),
    total: Type.Integer(),
    failed: Type.Integer({ description: 'of those that ended: failed or cancelled' }),
  },
  { title: 'TaskProgress' },
)

export const TaskRecord = Type.Object(
  {
    task_id: Uuid,
    namespace: Type.String(),
    agent: Type.String(),
    status: Type.Enum([...TASK_STATUSES], { description: 'leased: an instance works on it' }),
    attempt: Type.Integer({ description: 'counts from 1' }),
    max_attempts: Type.Integer(),
    prompt: Type.String(),
    inputs: JsonMap,
    output_schema: Nullable(JsonMap),
    output: Type.Unknown({ description: 'null until it completed' }),
    error: Nullable(TaskFailure),
    instance_id: Nullable(Type.String({ format: 'uuid', description: 'who has it, or had it last' })),
    run_id: Nullable(Uuid),
    step_id: Nullable(Uuid),
    path: Nullable(Type.String({ description: 'the step of the run' })),
    parent_task_id: Nullable(Uuid),
    retry_of: Nullable(Type.String({ format: 'uuid', description: 'the task that this one does again' })),
    progress: Nullable(Progress),
    expected_rows: Nullable(Type.Integer({ description: 'rows of a database it reads or writes, as its asker says' })),
    placement: Type.Object(
      {
        required_host: Nullable(Type.Enum(['database_host'], { description: 'null = any' })),
        access_method: Type.Enum(['bus_api', 'direct_postgresql']),
        result_delivery: Type.Enum(['bus_api']),
      },
      { title: 'TaskPlacement', description: 'where it may be done, and how data are reached' },
    ),
    usage: Type.Object({ tokens: Type.Integer(), cost_usd: Type.String() }, { title: 'TaskUsage' }),
    created_by: Type.String(),
    correlation_id: Type.String(),
    created_at: Time,
    not_before: Nullable(Time),
    leased_at: Nullable(Time),
    deadline: Nullable(Time),
    completed_at: Nullable(Time),
  },
  { title: 'TaskRecord' },
)

const TaskPart = Type.Object(
  {
    task_id: Uuid,
    agent: Type.String(),
    status: Type.Enum([...TASK_STATUSES]),
    attempt: Type.Integer(),
    prompt: Type.String(),
    output: Type.Unknown(),
    error: Nullable(TaskFailure),
    completed_at: Nullable(Time),
  },
  { title: 'TaskPart' },
)

export const TaskWithParts = Type.Object(
  {
    ...TaskRecord.properties,
    parts: Type.Array(TaskPart, { description: 'with their results, in the order they were asked for; the first 100' }),
  },
  { title: 'TaskWithParts' },
)

export function taskDto(row: TaskRow): Static<typeof TaskRecord> {
  const { parts_total, parts_done, parts_failed, parent_task, tokens, cost_nano_usd, ...rest } = row
  const { retry_delay_ms: _, lease_until: __, keep_workspace: ___, ...shown } = rest
  return {
    ...shown,
    parent_task_id: parent_task,
    progress: parts_total === 0 ? null : { done: parts_done, total: parts_total, failed: parts_failed },
    placement: placementOf(row),
    usage: { tokens, cost_usd: formatUsd(cost_nano_usd) },
    created_at: row.created_at.toISOString(),
    not_before: row.not_before?.toISOString() ?? null,
    leased_at: row.leased_at?.toISOString() ?? null,
    deadline: row.deadline?.toISOString() ?? null,
    completed_at: row.completed_at?.toISOString() ?? null,
  }
}

/** Bulk work is done next to the database; its result comes over the API as every other. */
function placementOf({ expected_rows: rows }: TaskRow) {
  const isBulk = rows !== null && rows >= BULK_ROWS
  return {
    required_host: isBulk ? ('database_host' as const) : null,
    access_method: isBulk ? ('direct_postgresql' as const) : ('bus_api' as const),
    result_delivery: 'bus_api' as const,
  }
}

export function partDto(row: TaskRow): Static<typeof TaskPart> {
  const { task_id, agent, status, attempt, prompt, output, error } = row
  return {
    task_id,
    agent,
    status,
    attempt,
    prompt,
    output,
    error,
    completed_at: row.completed_at?.toISOString() ?? null,
  }
}

export const sampleTask: Static<typeof TaskRecord> = {
  expected_rows: null,
  placement: { required_host: null, access_method: 'bus_api', result_delivery: 'bus_api' },
  task_id: SAMPLE.task,
  namespace: 'default',
  agent: 'sre',
  status: 'completed',
  attempt: 1,
  max_attempts: 3,
  prompt: 'Why is nginx down on web-1?',
  inputs: { host: 'web-1' },
  output_schema: null,
  output: { cause: 'nginx was killed' },
  error: null,
  instance_id: SAMPLE.instance,
  run_id: null,
  step_id: null,
  path: null,
  parent_task_id: null,
  retry_of: null,
  progress: null,
  usage: { tokens: 1200, cost_usd: '0.00018' },
  created_by: 'user:ada',
  correlation_id: SAMPLE.correlation,
  created_at: SAMPLE.time,
  not_before: null,
  leased_at: SAMPLE.time,
  deadline: null,
  completed_at: SAMPLE.later,
}
