import Type from 'typebox'
import { AnyMap, Count, carriedValue, type EventType, eventType, Id, Instant, orNull, Text } from './event-type.ts'

/** `{code, category, message, retryable, details?, cause?}`. */
const RunError = Type.Object(
  {
    code: Text,
    category: Text,
    message: Text,
    retryable: Type.Boolean(),
    details: Type.Optional(AnyMap),
    cause: Type.Optional(AnyMap),
  },
  { additionalProperties: false },
)

const Step = { run: Text, step: Text, kind: Text, attempt: Type.Integer({ minimum: 1 }) }
const RequestDigest = Type.Optional(Type.String({ description: 'action_task: sha256 of what its tool is asked for' }))
/** What ends in the move that began it, and a loop, gets no event before its end, so its end tells its beginning. */
const Held = { started_at: Type.Optional(Instant), ...carriedValue('inputs'), request_digest: RequestDigest }
const Gate = { run: Text, step: Text }
const Decision = {
  ...Gate,
  mode: Text,
  reason: orNull(Text),
  approvals: Count,
  min_approvals: Count,
  request_correlation_id: Text,
}
const Ended = { run: Text, duration_ms: Count, deadline: orNull(Instant) }
const Trigger = { blueprint: Text, trigger: Text, event_id: Id }

const Scheduled = {
  blueprint: Text,
  namespace: Text,
  schedule: Type.String({ description: 'five fields of cron' }),
  time_zone: Text,
  scheduled_at: Instant,
}

/** Events about the times of schedules. */
export const SCHEDULE_EVENTS = {
  'stateward.schedule.fired': eventType('A scheduled time started a run.', {
    ...Scheduled,
    run: Text,
    run_id: Id,
    late_ms: Count,
  }),
  'stateward.schedule.missed': eventType('Scheduled times started nothing; `scheduled_at` is the last of them.', {
    ...Scheduled,
    reason: Type.Union([Type.Literal('late'), Type.Literal('superseded'), Type.Literal('forbidden')], {
      description: 'behind its deadline; an earlier one of several; its last run was still open',
    }),
    first_at: Instant,
    count: Type.Integer({ minimum: 1, maximum: 100, description: 'at most 100 are counted' }),
  }),
} as const satisfies Record<string, EventType>

/** Events about runs. A run's rows can be built again from those that concern it. */
export const RUN_EVENTS = {
  'stateward.run.created': eventType('A run was created; it is pinned to the commit and the plan named here.', {
    run: Text,
    namespace: Text,
    blueprint: Text,
    blueprint_uid: Id,
    revision: Text,
    plan_digest: Text,
    trigger: Text,
    trigger_event: orNull(Id),
    dedupe_key: orNull(Text),
    priority: Type.Integer(),
    parent_run: Type.Optional(Id),
    parent_kind: Type.Optional(Type.String({ description: 'retry or rollback' })),
    event_id: Type.Optional(
      Type.String({ description: 'the event its expressions read, when another run was started by it' }),
    ),
    inputs: AnyMap,
  }),
  'stateward.run.started': eventType('A run began.', { run: Text, deadline: Instant }),
  'stateward.run.completed': eventType('A run ended well.', { ...Ended, ...carriedValue('outputs') }),
  'stateward.run.failed': eventType('A run failed.', { ...Ended, error: RunError }),
  'stateward.run.cancelled': eventType('A run ended because somebody cancelled it.', { ...Ended, error: RunError }),
  'stateward.run.cancel.requested': eventType('Somebody asked a run to end.', {
    run: Text,
    reason: orNull(Text),
    request_correlation_id: Text,
  }),
  'stateward.run.refused': eventType('An event asked for a run that could not be created.', {
    ...Trigger,
    event_name: Text,
    problems: Type.Array(AnyMap),
  }),
  'stateward.run.requeued': eventType('Somebody had a run started of what could not be done before.', {
    dead_letter: Id,
    kind: Text,
    run: Text,
    run_id: Id,
    request_correlation_id: Text,
  }),
  'stateward.run.deduplicated': eventType(
    'An event started no run, because one with the same dedupe key had not ended, or not long enough ago.',
    { ...Trigger, dedupe_key: orNull(Text), run: Text, run_id: Id },
  ),
  'stateward.run.held': eventType(
    'An event is held back, because its blueprint takes no more runs at the moment; it starts its run later.',
    { ...Trigger, event_name: Text, message: Text },
  ),
  'stateward.run.retried': eventType('Somebody had a run that had ended go on as another run.', {
    run: Text,
    child: Text,
    child_id: Id,
    from: orNull(Text),
    kept: Count,
  }),
  'stateward.run.rollback.started': eventType('What a run did is being undone, by another run.', {
    run: Text,
    child: Text,
    child_id: Id,
    undo: Type.Array(Text, { description: 'paths of the steps that are undone, in that order' }),
    not_undone: Type.Array(AnyMap, { description: '`{step, action, reason}` of what cannot be undone' }),
  }),
  'stateward.run.rebuilt': eventType('Somebody had the rows of a run written again from its events.', {
    run: Text,
    steps: Count,
    differences: Count,
  }),
  'stateward.run.step.held': eventType('Policies ask for approvals before a step: it has not begun.', {
    ...Step,
    reason: Text,
    policy: Type.String({ description: 'the policy, its version and the rule' }),
    approvals: Type.Array(AnyMap),
  }),
  'stateward.run.step.started': eventType('A step began.', {
    ...Step,
    ...carriedValue('inputs'),
    request_digest: RequestDigest,
  }),
  'stateward.run.step.completed': eventType('A step ended well.', {
    ...Step,
    ...Held,
    ...carriedValue('output'),
    output_sanitized: Type.Optional(
      Type.Boolean({ description: 'characters that cannot be stored were replaced by U+FFFD' }),
    ),
  }),
  'stateward.run.step.failed': eventType('A step failed.', { ...Step, ...Held, error: RunError }),
  'stateward.run.step.retried': eventType('An attempt of a step failed, and another one follows.', {
    ...Step,
    error: RunError,
    next_attempt: Type.Integer({ minimum: 2 }),
    next_attempt_at: Instant,
    next_step_id: Id,
  }),
  'stateward.run.step.skipped': eventType('A step was not run.', { ...Step, reason: Text }),
  'stateward.run.step.retained': eventType(
    'A step was taken over, as it ended, from the run that this one goes on from.',
    {
      ...Step,
      status: Text,
      started_at: orNull(Instant),
      completed_at: orNull(Instant),
      ...carriedValue('inputs'),
      ...carriedValue('output'),
    },
  ),
  'stateward.run.step.unplaced': eventType('The task of a step has no host that may have it: the step waits.', {
    ...Step,
    reason: Text,
    message: Text,
  }),
  'stateward.run.step.paused': eventType('A step waits until there is money for it.', {
    ...Step,
    budget: Text,
    message: Text,
    wanted_usd: Text,
  }),
  'stateward.run.step.unpaused': eventType('A step has the money that it waited for; its time begins anew.', Step),
  'stateward.run.step.resumed': eventType('A step was taken up again after its process had died.', {
    ...Step,
    operation_id: Text,
  }),
  'stateward.run.step.quarantined': eventType(
    'A process died while a tool ran that is not safe to repeat; the step waits for somebody to say what became of it.',
    { ...Step, operation_id: Text, tool: Text },
  ),
  'stateward.run.gate.opened': eventType('A gate waits for a decision.', {
    ...Gate,
    mode: Text,
    message: Text,
    approvers: Type.Array(Text),
    min_approvals: Count,
    timeout_at: orNull(Instant),
    input_schema: Type.Optional(AnyMap),
    proposal: Type.Optional(Text),
  }),
  'stateward.run.gate.proposed': eventType('The decision of a gate was proposed on a branch; merging it approves.', {
    ...Gate,
    branch: Text,
    commit: Text,
  }),
  'stateward.run.gate.seconded': eventType('Somebody approved a gate that needs more approvals.', Decision),
  'stateward.run.gate.approved': eventType('A gate was approved.', Decision),
  'stateward.run.gate.rejected': eventType('A gate was rejected.', Decision),
  'stateward.run.gate.expired': eventType('Nobody decided a gate in time.', { ...Gate, on_timeout: Text }),
} as const satisfies Record<string, EventType>

const Task = {
  task_id: Id,
  namespace: Text,
  agent: Text,
  attempt: Type.Integer({ minimum: 1 }),
  instance_id: orNull(Id),
  path: orNull(Text),
}

/** Events about the tasks of agents, one attempt each. */
export const TASK_EVENTS = {
  'stateward.task.created': eventType(
    'Somebody asked an agent for something; the tasks of steps are told by their steps.',
    {
      ...Task,
      parent_task_id: orNull(Id),
    },
  ),
  'stateward.task.leased': eventType('An instance of an agent took a task.', Task),
  'stateward.task.progressed': eventType('A part of a task ended.', {
    ...Task,
    part_task_id: Id,
    part_status: Text,
    done: Count,
    total: Count,
    failed: Count,
  }),
  'stateward.task.reassigned': eventType('An open task was given to another agent.', { ...Task, from_agent: Text }),
  'stateward.task.retried': eventType('A task that had failed or was cancelled goes on as another one.', {
    ...Task,
    retry_task_id: Id,
  }),
  'stateward.task.completed': eventType('An agent completed a task.', {
    ...Task,
    output_sanitized: Type.Optional(Type.Boolean()),
  }),
  'stateward.task.failed': eventType('An attempt of a task failed for good.', {
    ...Task,
    code: Text,
    message: Text,
    output_sanitized: Type.Optional(Type.Boolean()),
  }),
  'stateward.task.cancelled': eventType('A task ended because nobody waits for it any more.', Task),
  'stateward.task.requeued': eventType(
    'A task went back to the queue: whoever had it went away, or failed and may try again.',
    {
      ...Task,
      reason: Text,
    },
  ),
} as const satisfies Record<string, EventType>
