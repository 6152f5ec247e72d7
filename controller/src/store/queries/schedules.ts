import type { Executor, Tx } from '../database.ts'

/** A schedule of a blueprint: `trigger` as runs have it. */
export interface ScheduleKey {
  readonly blueprintUid: string
  readonly trigger: string
}

/** How far a schedule has come. */
export interface ScheduleRow {
  readonly blueprint_uid: string
  readonly trigger: string
  readonly last_time: Date
  readonly last_fired: Date | null
  readonly suspended: boolean
}

export async function allSchedules(sql: Executor): Promise<ScheduleRow[]> {
  return sql<ScheduleRow[]>`SELECT blueprint_uid, trigger, last_time, last_fired, suspended FROM schedules`
}

/** Remembers a schedule that begins now; one that is there stays as it is. */
export async function insertSchedule(
  tx: Tx,
  { blueprintUid, trigger }: ScheduleKey,
  at: Date,
  suspended: boolean,
): Promise<void> {
  await tx`
    INSERT INTO schedules (blueprint_uid, trigger, last_time, suspended)
    VALUES (${blueprintUid}, ${trigger}, ${at}, ${suspended}) ON CONFLICT DO NOTHING`
}

/** Moves a schedule on, and says whether it fired. False when it does not stand at `from`: somebody else has moved it. */
export async function moveSchedule(
  tx: Tx,
  { blueprintUid, trigger }: ScheduleKey,
  from: Date,
  to: { readonly time: Date; readonly fired: boolean },
): Promise<boolean> {
  const result = await tx`
    UPDATE schedules SET last_time = ${to.time} ${to.fired ? tx`, last_fired = ${to.time}` : tx``}
    WHERE blueprint_uid = ${blueprintUid} AND trigger = ${trigger} AND last_time = ${from} AND NOT suspended`
  return result.count === 1
}

/** Suspends a schedule, or lets it go on from `at`. */
export async function suspendSchedule(
  tx: Tx,
  { blueprintUid, trigger }: ScheduleKey,
  suspended: boolean,
  at: Date,
): Promise<void> {
  await tx`
    UPDATE schedules SET suspended = ${suspended}, last_time = greatest(last_time, ${at})
    WHERE blueprint_uid = ${blueprintUid} AND trigger = ${trigger}`
}

export async function deleteSchedule(tx: Tx, { blueprintUid, trigger }: ScheduleKey): Promise<void> {
  await tx`DELETE FROM schedules WHERE blueprint_uid = ${blueprintUid} AND trigger = ${trigger}`
}

/** Runs that a trigger started and that have not ended. */
export async function openRunsOfTrigger(tx: Tx, { blueprintUid, trigger }: ScheduleKey): Promise<string[]> {
  const rows = await tx<{ run_id: string }[]>`
    SELECT run_id FROM runs
    WHERE blueprint_uid = ${blueprintUid} AND status IN ('created', 'running') AND trigger = ${trigger}`
  return rows.map(({ run_id }) => run_id)
}
