import type { CompiledSchedule } from '../../blueprints/compiled-plan.ts'
import { nextTime, passedTimes } from '../../blueprints/cron.ts'
import type { EventName } from '../../events/catalogue.ts'
import type { EventValue } from '../../expressions/values.ts'
import { uuidOf } from '../../lib/ids.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { AcceptedBlueprint } from '../ports.ts'

/** How far a schedule has come. */
export interface ScheduleState {
  readonly lastTime: Date
  readonly lastFired: Date | null
  readonly suspended: boolean
}

/** Times that started nothing. */
export interface Missed {
  readonly reason: 'late' | 'superseded'
  readonly first: Date
  readonly latest: Date
  /** At most 100. */
  readonly count: number
}

export type ScheduleDecision =
  | { readonly kind: 'wait'; readonly next: Date | null }
  /** Its blueprint was suspended, or goes on: from now, whatever lay between. */
  | { readonly kind: 'suspend'; readonly suspended: boolean }
  /** Too late for every time that has passed. */
  | { readonly kind: 'skip'; readonly to: Date; readonly missed: Missed }
  | { readonly kind: 'fire'; readonly at: Date; readonly missed: Missed | null }

/**
 * What a schedule has to do now. Of all times since it was last looked at, only the latest starts a run, and only within
 * `startingDeadlineSeconds`, as Kubernetes' CronJob does; a clock that goes back meets no time twice. Pure.
 */
export function decideSchedule(
  schedule: CompiledSchedule,
  state: ScheduleState,
  blueprintSuspended: boolean,
  now: Date,
): ScheduleDecision {
  if (blueprintSuspended !== state.suspended) return { kind: 'suspend', suspended: blueprintSuspended }
  if (blueprintSuspended) return { kind: 'wait', next: null }
  const passed = passedTimes(schedule, state.lastTime, now)
  if (passed === null) return { kind: 'wait', next: nextTime(schedule, state.lastTime) }
  const { first, latest, count } = passed
  if (schedule.startingDeadlineMs !== null && now.getTime() - latest.getTime() > schedule.startingDeadlineMs)
    return { kind: 'skip', to: latest, missed: { reason: 'late', first, latest, count } }
  if (count === 1) return { kind: 'fire', at: latest, missed: null }
  return { kind: 'fire', at: latest, missed: { reason: 'superseded', first, latest, count: count - 1 } }
}

/** The event of a scheduled time as its run sees it: the same id whoever fires it, so that it can start one run only. */
export function scheduledEvent(
  blueprint: Pick<AcceptedBlueprint, 'uid' | 'namespace' | 'name'>,
  trigger: string,
  schedule: Pick<CompiledSchedule, 'schedule' | 'timeZone'>,
  at: Date,
): EventValue {
  const time = at.toISOString()
  return {
    id: uuidOf(`${blueprint.uid} ${trigger} ${time}`),
    name: 'stateward.schedule.fired' satisfies EventName,
    time,
    actor: SCHEDULER,
    resource: { type: 'Blueprint', id: blueprint.uid },
    data: scheduleData(blueprint, schedule, at),
  }
}

export const SCHEDULER = 'system:scheduler'

/** What both events of a schedule hold. */
export function scheduleData(
  { namespace, name }: Pick<AcceptedBlueprint, 'namespace' | 'name'>,
  { schedule, timeZone }: Pick<CompiledSchedule, 'schedule' | 'timeZone'>,
  at: Date,
): JsonObject {
  return { blueprint: name, namespace, schedule, time_zone: timeZone, scheduled_at: at.toISOString() }
}
