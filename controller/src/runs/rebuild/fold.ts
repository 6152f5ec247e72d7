import { toEventValue } from '../../expressions/values.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { StepRow } from '../../store/journal.ts'
import type { LoggedEvent } from '../../store/ports.ts'
import type { RunRow } from '../../store/queries/runs.ts'

/**
 * A value as its event tells it: whole, or the digest of one that was too large for an event. Absent values are whole
 * and null.
 */
export type Told = { readonly value: Json } | { readonly digest: string }

/** What events say of a run: everything but who moves it and when (`owner, wake_at, signals, condition`). */
export type RebuiltRun = Omit<RunRow, 'owner' | 'wake_at' | 'signals' | 'condition' | 'inputs' | 'outputs'> & {
  readonly inputs: Told
  readonly outputs: Told
}
export type RebuiltStep = Omit<StepRow, 'inputs' | 'outputs' | 'condition'> & {
  readonly inputs: Told
  readonly outputs: Told
}

export interface Rebuilt {
  readonly run: RebuiltRun
  /** By path and attempt, in the order in which they began. */
  readonly steps: readonly RebuiltStep[]
}

/**
 * Builds the rows of a run from its events, in the order of the log. `trigger` is the event that started it. Null when
 * the first of its events is not among them. Pure.
 */
export function rebuildRun(events: readonly LoggedEvent[], trigger: LoggedEvent | null): Rebuilt | null {
  const created = events.find(({ event_name }) => event_name === 'stateward.run.created')
  if (created === undefined) return null
  let run = createdRun(created, trigger)
  const steps = new Map<string, RebuiltStep>()
  for (const event of events) {
    if (event.event_name.startsWith('stateward.run.step.')) takeStep(steps, event)
    else run = { ...run, ...runChange(event) }
  }
  return { run, steps: [...steps.values()] }
}

const NOTHING: Told = { value: null }

function told(data: LoggedEvent['data'], name: string): Told {
  const digest = data[`${name}_digest`]
  return typeof digest === 'string' ? { digest } : { value: data[name] ?? null }
}

function createdRun(event: LoggedEvent, trigger: LoggedEvent | null): RebuiltRun {
  const data = event.data as { readonly [key: string]: never }
  return {
    run_id: event.run_id!,
    namespace: data['namespace']!,
    name: data['run']!,
    blueprint_uid: data['blueprint_uid']!,
    blueprint: data['blueprint']!,
    revision: data['revision']!,
    plan_digest: data['plan_digest']!,
    status: 'created',
    priority: data['priority']!,
    trigger: data['trigger']!,
    trigger_event: data['trigger_event']!,
    dedupe_key: data['dedupe_key']!,
    event: trigger === null ? null : (toEventValue(trigger) as unknown as JsonObject),
    inputs: told(event.data, 'inputs'),
    outputs: NOTHING,
    error: null,
    actor: event.actor,
    correlation_id: event.correlation_id,
    created_at: new Date(event.occurred_at),
    started_at: null,
    completed_at: null,
    deadline: null,
    parent_run: data['parent_run'] ?? null,
    parent_kind: data['parent_kind'] ?? null,
  }
}

function runChange({ event_name: name, data, occurred_at: at }: LoggedEvent): Partial<RebuiltRun> {
  switch (name) {
    case 'stateward.run.started':
      return { status: 'running', started_at: new Date(at), deadline: timeOf(data['deadline']) }
    case 'stateward.run.completed':
      return { ...ended(data, at), status: 'completed', outputs: told(data, 'outputs') }
    case 'stateward.run.failed':
      return { ...ended(data, at), status: 'failed' }
    case 'stateward.run.cancelled':
      return { ...ended(data, at), status: 'cancelled' }
    default:
      return {}
  }
}

function ended(data: LoggedEvent['data'], at: string): Partial<RebuiltRun> {
  const error = (data['error'] ?? null) as JsonObject | null
  return { completed_at: new Date(at), deadline: timeOf(data['deadline']), error }
}

function timeOf(text: Json | undefined): Date | null {
  return typeof text === 'string' ? new Date(text) : null
}

function takeStep(steps: Map<string, RebuiltStep>, event: LoggedEvent): void {
  const change = stepChange(event)
  if (change === null) return
  const path = String(event.data['step'])
  const attempt = Number(event.data['attempt'])
  const key = `${path}/${attempt}`
  const before = steps.get(key) ?? newStep(event, path, attempt)
  // A step without an outside effect begins and ends in one move, and only its end is told.
  const startsNow = before.started_at === null && change.status !== 'skipped'
  const row = { ...before, ...(startsNow ? { started_at: new Date(event.occurred_at) } : {}), ...change }
  steps.set(key, row)
  if (event.event_name === 'stateward.run.step.retried') steps.set(`${path}/${attempt + 1}`, nextAttempt(row, event))
}

/** An attempt whose time has not come: it runs, and asks for what the one before it asked for. */
function nextAttempt(before: RebuiltStep, { data }: LoggedEvent): RebuiltStep {
  return {
    ...before,
    attempt: before.attempt + 1,
    step_id: String(data['next_step_id']),
    status: 'running',
    error: null,
    started_at: null,
    completed_at: null,
    next_attempt_at: timeOf(data['next_attempt_at']),
  }
}

/** A loop, and what ends in the move that began it, tells its beginning with its end. */
function beginning(data: LoggedEvent['data']): Partial<RebuiltStep> {
  const startedAt = timeOf(data['started_at'])
  const inputs = 'inputs' in data || 'inputs_digest' in data ? { inputs: told(data, 'inputs') } : {}
  return startedAt === null ? inputs : { started_at: startedAt, ...inputs }
}

function newStep(event: LoggedEvent, path: string, attempt: number): RebuiltStep {
  return {
    run_id: event.run_id!,
    path,
    attempt,
    step_id: event.step_id!,
    kind: String(event.data['kind']),
    status: 'created',
    inputs: NOTHING,
    outputs: NOTHING,
    error: null,
    started_at: null,
    completed_at: null,
    next_attempt_at: null,
  }
}

function stepChange({ event_name: name, data, occurred_at: at }: LoggedEvent): Partial<RebuiltStep> | null {
  const end = { completed_at: new Date(at), next_attempt_at: null }
  switch (name) {
    case 'stateward.run.step.started':
      // It may have been held back before: then its row is there, and it begins now.
      return { status: 'running', started_at: new Date(at), inputs: told(data, 'inputs'), next_attempt_at: null }
    case 'stateward.run.step.held':
      return { status: 'running' }
    case 'stateward.run.step.completed':
      return { ...end, ...beginning(data), status: 'completed', outputs: told(data, 'output') }
    case 'stateward.run.step.failed':
      return { ...end, ...beginning(data), status: 'failed', error: data['error'] ?? null }
    case 'stateward.run.step.retained':
      return {
        status: data['status'] as StepRow['status'],
        started_at: timeOf(data['started_at']),
        completed_at: timeOf(data['completed_at']),
        inputs: told(data, 'inputs'),
        outputs: told(data, 'output'),
      }
    case 'stateward.run.step.retried':
      return { ...end, status: 'failed', error: data['error'] ?? null }
    case 'stateward.run.step.unpaused':
      return { started_at: new Date(at) }
    case 'stateward.run.step.skipped':
      return { ...end, status: 'skipped' }
    default:
      return null
  }
}
