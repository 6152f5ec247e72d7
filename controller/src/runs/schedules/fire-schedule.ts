import type { CompiledSchedule } from '../../blueprints/compiled-plan.ts'
import { resolveInputs } from '../../blueprints/inputs.ts'
import type { EventName } from '../../events/catalogue.ts'
import { errorMessage } from '../../lib/errors.ts'
import { newCorrelationId, uuidv7 } from '../../lib/ids.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Tx } from '../../store/database.ts'
import { sqlState } from '../../store/database-errors.ts'
import { appendEvents } from '../../store/log.ts'
import type { NewEvent } from '../../store/ports.ts'
import { moveSchedule, openRunsOfTrigger } from '../../store/queries/schedules.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import { requestCancel } from '../cancel.ts'
import type { CrashHook } from '../crash-points.ts'
import type { AcceptedBlueprint, EnvironmentOf, ToolRunner } from '../ports.ts'
import { tooDear } from '../start/affordable.ts'
import { admitRun, type Hold } from '../start/backpressure.ts'
import { createRun } from '../start/create.ts'
import { type Missed, SCHEDULER, type ScheduleState, scheduleData, scheduledEvent } from './schedule-decision.ts'

interface FireDeps {
  readonly store: Store
  readonly environmentOf: EnvironmentOf
  /** Knows what steps cost; left out, nobody does. */
  readonly tools?: Pick<ToolRunner, 'find'>
  readonly changed: (runIds: readonly string[]) => void
}

export type FireResult =
  | { readonly kind: 'fired' | 'leftOut' }
  /** Its blueprint takes no more at the moment: nothing was written. */
  | { readonly kind: 'held'; readonly hold: Hold }

interface DueSchedule {
  readonly blueprint: AcceptedBlueprint
  readonly schedule: CompiledSchedule
  readonly trigger: string
}

interface Fired {
  /** Runs that were made, and runs that were asked to end. */
  readonly runIds: readonly string[]
  readonly result: FireResult
}

const LEFT_OUT: Fired = { runIds: [], result: { kind: 'leftOut' } }

/** Notes times that came too late, and moves the schedule behind them. */
export async function skipSchedule(
  deps: FireDeps,
  due: DueSchedule,
  state: ScheduleState,
  { to, missed }: { readonly to: Date; readonly missed: Missed },
): Promise<void> {
  await transact(deps.store, async (tx) => {
    await move(tx, due, state, to, false)
    await appendEvents(tx, deps.store, [missedEvent(deps, due, missed)])
  })
}

/**
 * Starts the run of a scheduled time, or says why not, and moves the schedule behind it: one transaction.
 */
export async function fireSchedule(
  deps: FireDeps & { readonly crashPoint: CrashHook },
  due: DueSchedule,
  state: ScheduleState,
  decision: { readonly at: Date; readonly missed: Missed | null },
): Promise<FireResult> {
  const { store, crashPoint, changed } = deps
  try {
    const { runIds, result } = await transact(store, async (tx) => {
      const fired = await fire(tx, deps, due, state, decision)
      crashPoint('trigger.before_commit')
      return fired
    })
    crashPoint('trigger.after_commit')
    if (runIds.length > 0) changed(runIds)
    return result
  } catch (error) {
    const code = sqlState(error)
    if (code === null || !['22', '54'].some((category) => code.startsWith(category))) throw error
    // It can never be stored: said once, instead of being tried for ever.
    const problems = [{ message: `the run could not be stored: ${errorMessage(error)}` }]
    await transact(store, async (tx) => {
      await move(tx, due, state, decision.at, false)
      await appendEvents(tx, store, [refusedEvent(deps, due, decision.at, problems)])
    })
    return { kind: 'leftOut' }
  }
}

async function fire(
  tx: Tx,
  deps: FireDeps,
  due: DueSchedule,
  state: ScheduleState,
  { at, missed }: { readonly at: Date; readonly missed: Missed | null },
): Promise<Fired> {
  const { store, environmentOf } = deps
  const { blueprint, schedule, trigger } = due
  const events: NewEvent[] = missed === null ? [] : [missedEvent(deps, due, missed)]
  const open = await openRunsOfTrigger(tx, { blueprintUid: blueprint.uid, trigger })
  if (open.length > 0 && schedule.concurrencyPolicy === 'Forbid') {
    await move(tx, due, state, at, false)
    events.push(missedEvent(deps, due, { reason: 'forbidden', first: at, latest: at, count: 1 }))
    await appendEvents(tx, store, events)
    return LEFT_OUT
  }
  const event = scheduledEvent(blueprint, trigger, schedule, at)
  const inputs = resolveInputs(blueprint.plan, schedule.inputs, event)
  if (!inputs.ok) {
    await move(tx, due, state, at, false)
    const problems = inputs.problems.map((problem) => ({ ...problem }))
    await appendEvents(tx, store, [...events, refusedEvent(deps, due, at, problems)])
    return LEFT_OUT
  }
  const dear = deps.tools === undefined ? null : tooDear(deps.tools, blueprint.plan, blueprint.namespace)
  if (dear !== null) {
    await move(tx, due, state, at, false)
    await appendEvents(tx, store, [...events, refusedEvent(deps, due, at, [{ ...dear }])])
    return LEFT_OUT
  }
  const admission = await admitRun(tx, blueprint, store.clock.now())
  if (!admission.admitted) return { runIds: [], result: { kind: 'held', hold: admission } }
  await move(tx, due, state, at, true)
  const replaced = open.length > 0 && schedule.concurrencyPolicy === 'Replace' ? open : []
  const correlationId = newCorrelationId()
  const cause = { actor: SCHEDULER, correlationId }
  for (const runId of replaced) {
    const asked = await requestCancel(tx, deps, { runId, reason: 'replaced by its next scheduled run' }, cause)
    if (asked !== null) events.push(asked)
  }
  const result = await createRun(tx, store.clock.now(), {
    blueprint,
    name: null,
    inputs: inputs.values,
    trigger,
    event,
    dedupeKey: null,
    priority: 0,
    ...cause,
    envId: environmentOf(blueprint.namespace).id,
  })
  if (result.kind === 'created') {
    const { id, time, data } = event
    const lateMs = Math.max(0, store.clock.now().getTime() - Date.parse(time))
    const fired = { ...data, run: result.name, run_id: result.runId, late_ms: lateMs }
    events.push({ ...eventOf(deps, due, 'stateward.schedule.fired', fired, correlationId), event_id: id }, result.event)
  }
  if (events.length > 0) await appendEvents(tx, store, events)
  const runIds = result.kind === 'created' ? [...replaced, result.runId] : replaced
  return { runIds, result: { kind: 'fired' } }
}

async function move(tx: Tx, due: DueSchedule, state: ScheduleState, time: Date, fired: boolean): Promise<void> {
  const key = { blueprintUid: due.blueprint.uid, trigger: due.trigger }
  if (!(await moveSchedule(tx, key, state.lastTime, { time, fired })))
    throw new Error('another process works on the schedules')
}

function missedEvent(
  deps: FireDeps,
  due: DueSchedule,
  missed: Omit<Missed, 'reason'> & { readonly reason: Missed['reason'] | 'forbidden' },
): NewEvent {
  const { reason, first, latest, count } = missed
  const data = { ...scheduleData(due.blueprint, due.schedule, latest), reason, first_at: first.toISOString(), count }
  return eventOf(deps, due, 'stateward.schedule.missed', data, newCorrelationId())
}

function refusedEvent(deps: FireDeps, due: DueSchedule, at: Date, problems: JsonObject[]): NewEvent {
  const { blueprint, trigger, schedule } = due
  const { id, name } = scheduledEvent(blueprint, trigger, schedule, at)
  const data = { blueprint: blueprint.name, trigger, event_id: id, event_name: name, problems }
  return eventOf(deps, due, 'stateward.run.refused', data, newCorrelationId())
}

function eventOf(deps: FireDeps, due: DueSchedule, name: EventName, data: JsonObject, correlationId: string): NewEvent {
  const now = deps.store.clock.now()
  return {
    event_id: uuidv7(now.getTime()),
    event_name: name,
    occurred_at: now,
    env_id: deps.environmentOf(due.blueprint.namespace).id,
    actor: SCHEDULER,
    correlation_id: correlationId,
    resource: { type: 'Blueprint', id: due.blueprint.uid },
    data,
  }
}
