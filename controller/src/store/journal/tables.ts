import type { NewEvent } from '../ports.ts'
import {
  boolean,
  bytes,
  type Cells,
  type Column,
  integer,
  json,
  jsonAsText,
  optionalInteger,
  text,
  time,
  uuid,
} from './columns.ts'
import type {
  DecisionRow,
  EffectRow,
  GateRow,
  InboxConsumed,
  NewRun,
  RunUpdate,
  StepRow,
  TaskCancel,
  TaskRow,
  WaitEnd,
  WaitRow,
} from './rows.ts'

// What a batch carries, table by table, in the order in which the statement touches them.

/** What moves in a run. */
const RUN_STATE: readonly Column<RunUpdate>[] = [
  text('status', (row) => row.status),
  boolean('release', (row) => row.release),
  time('wake_at', (row) => row.wake_at),
  json('outputs', (row) => row.outputs),
  json('error', (row) => row.error),
  json('condition', (row) => row.condition),
  time('started_at', (row) => row.started_at),
  time('completed_at', (row) => row.completed_at),
  time('deadline', (row) => row.deadline),
]

const RUN_GUARD: readonly Column<RunUpdate>[] = [
  uuid('run_id', (row) => row.run_id),
  text('from_status', (row) => row.from.join(',')),
  integer('signals', (row) => row.signals),
  time('now', (row) => row.now),
]

export const RUNS: readonly Column<RunUpdate>[] = [...RUN_GUARD, ...RUN_STATE]

/** The cells of a row of {@link RUNS} that a row of {@link CREATED} ends with. */
export const stateCells = (run: Cells): Cells => run.slice(RUN_GUARD.length)

/** What never changes in a run. */
export const NEW_RUNS: readonly Column<NewRun>[] = [
  uuid('run_id', (row) => row.run_id),
  text('namespace', (row) => row.namespace),
  text('name', (row) => row.name),
  uuid('blueprint_uid', (row) => row.blueprint_uid),
  text('blueprint', (row) => row.blueprint),
  text('revision', (row) => row.revision),
  text('plan_digest', (row) => row.plan_digest),
  integer('priority', (row) => row.priority),
  text('trigger', (row) => row.trigger),
  uuid('trigger_event', (row) => row.trigger_event),
  text('dedupe_key', (row) => row.dedupe_key),
  json('event', (row) => row.event),
  json('inputs', (row) => row.inputs),
  text('actor', (row) => row.actor),
  text('correlation_id', (row) => row.correlation_id),
  time('created_at', (row) => row.created_at),
]

/** A run that is not there before the batch, as it is at the batch's end. */
const CREATED: readonly (Column<NewRun> | Column<RunUpdate>)[] = [...NEW_RUNS, ...RUN_STATE]

export const STEPS: readonly Column<StepRow>[] = [
  uuid('run_id', (row) => row.run_id),
  text('path', (row) => row.path),
  integer('attempt', (row) => row.attempt),
  uuid('step_id', (row) => row.step_id),
  text('kind', (row) => row.kind),
  text('status', (row) => row.status),
  json('inputs', (row) => row.inputs),
  json('outputs', (row) => row.outputs),
  json('error', (row) => row.error),
  json('condition', (row) => row.condition),
  time('started_at', (row) => row.started_at),
  time('completed_at', (row) => row.completed_at),
  time('next_attempt_at', (row) => row.next_attempt_at),
]

export const GATES: readonly Column<GateRow>[] = [
  uuid('step_id', (row) => row.step_id),
  uuid('run_id', (row) => row.run_id),
  text('path', (row) => row.path),
  text('mode', (row) => row.mode),
  // An array inside an array cannot be unpacked by unnest: it travels as JSON.
  json('approvers', (row) => [...row.approvers]),
  integer('min_approvals', (row) => row.min_approvals),
  json('input_schema', (row) => row.input_schema),
  boolean('self_approval', (row) => row.self_approval),
  text('input_digest', (row) => row.input_digest),
  text('proposal', (row) => row.proposal),
  text('state', (row) => row.state),
  time('timeout_at', (row) => row.timeout_at),
  time('created_at', (row) => row.created_at),
  time('decided_at', (row) => row.decided_at),
]

export const EFFECTS: readonly Column<EffectRow>[] = [
  text('operation_id', (row) => row.operation_id),
  uuid('run_id', (row) => row.run_id),
  text('path', (row) => row.path),
  integer('attempt', (row) => row.attempt),
  text('tool', (row) => row.tool),
  boolean('idempotent', (row) => row.idempotent),
  text('request_digest', (row) => row.request_digest),
  text('state', (row) => row.state),
  time('created_at', (row) => row.created_at),
  time('ended_at', (row) => row.ended_at),
]

export const TASKS: readonly Column<TaskRow>[] = [
  uuid('task_id', (row) => row.task_id),
  text('namespace', (row) => row.namespace),
  text('agent', (row) => row.agent),
  uuid('run_id', (row) => row.run_id),
  uuid('step_id', (row) => row.step_id),
  text('path', (row) => row.path),
  text('prompt', (row) => row.prompt),
  json('inputs', (row) => row.inputs),
  json('output_schema', (row) => row.output_schema),
  time('deadline', (row) => row.deadline),
  boolean('keep_workspace', (row) => row.keep_workspace),
  {
    name: 'expected_rows',
    type: 'integer',
    of: ({ expected_rows: rows }) => (rows === null ? null : String(rows)),
  },
  text('correlation_id', (row) => row.correlation_id),
  time('created_at', (row) => row.created_at),
]

export const TASK_CANCELS: readonly Column<TaskCancel>[] = [
  uuid('run_id', (row) => row.run_id),
  uuid('step_id', (row) => row.step_id),
  time('completed_at', (row) => row.completed_at),
]

export const CONSUMED: readonly Column<InboxConsumed>[] = [
  uuid('id', (row) => row.id),
  time('consumed_at', (row) => row.consumed_at),
]

export const WAITS: readonly Column<WaitRow>[] = [
  uuid('step_id', (row) => row.step_id),
  uuid('run_id', (row) => row.run_id),
  text('path', (row) => row.path),
  text('event', (row) => row.event),
  text('filter', (row) => row.filter),
  json('bindings', (row) => row.bindings),
  time('created_at', (row) => row.created_at),
]

export const WAIT_ENDS: readonly Column<WaitEnd>[] = [uuid('step_id', (row) => row.step_id)]

export const DECISIONS: readonly Column<DecisionRow>[] = [
  uuid('decision_id', (row) => row.decision_id),
  time('decided_at', (row) => row.decided_at),
  text('point', (row) => row.point),
  text('action', (row) => row.action),
  text('subject', (row) => row.subject),
  text('namespace', (row) => row.namespace),
  text('resource_type', (row) => row.resource_type),
  text('resource_name', (row) => row.resource_name),
  text('env_id', (row) => row.env_id),
  text('risk', (row) => row.risk),
  text('effect', (row) => row.effect),
  uuid('policy_uid', (row) => row.policy_uid),
  text('policy', (row) => row.policy),
  optionalInteger('policy_version', (row) => row.policy_version),
  text('rule', (row) => row.rule),
  text('reason', (row) => row.reason),
  json('opinions', (row) => row.opinions),
  text('inputs_digest', (row) => row.inputs_digest),
  json('inputs', (row) => row.inputs),
  uuid('run_id', (row) => row.run_id),
  uuid('step_id', (row) => row.step_id),
  text('proposal', (row) => row.proposal),
  text('correlation_id', (row) => row.correlation_id),
]

/** An event with what the log's chain covers of it. */
export interface DigestedEvent {
  readonly event: NewEvent
  readonly digest: Buffer
  /** `data` as the digest reads it. */
  readonly text: string
}

export const EVENTS: readonly Column<DigestedEvent>[] = [
  uuid('event_id', ({ event }) => event.event_id),
  text('event_name', ({ event }) => event.event_name),
  time('occurred_at', ({ event }) => event.occurred_at),
  text('env_id', ({ event }) => event.env_id),
  text('actor', ({ event }) => event.actor),
  text('correlation_id', ({ event }) => event.correlation_id),
  uuid('run_id', ({ event }) => event.run_id ?? null),
  uuid('step_id', ({ event }) => event.step_id ?? null),
  text('resource_type', ({ event }) => event.resource?.type ?? null),
  text('resource_id', ({ event }) => event.resource?.id ?? null),
  jsonAsText('data', ({ text }) => text),
  bytes('digest', ({ digest }) => digest),
]

/** Every table of a batch; a run's rows are keyed by what becomes of it. */
export const TABLES = {
  moved: RUNS,
  created: CREATED,
  steps: STEPS,
  gates: GATES,
  effects: EFFECTS,
  tasks: TASKS,
  taskCancels: TASK_CANCELS,
  consumed: CONSUMED,
  events: EVENTS,
  waits: WAITS,
  waitEnds: WAIT_ENDS,
  decisions: DECISIONS,
} as const

export type TableName = keyof typeof TABLES
