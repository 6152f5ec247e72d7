import type { Executor, Tx } from '../database.ts'
import type { LoggedEvent } from '../ports.ts'

/** An event that asked for a run its blueprint could not take. */
export interface HeldTrigger {
  readonly blueprint_uid: string
  readonly seq: number
  readonly trigger: string
  readonly event: LoggedEvent
}

/** False when it is held already. */
export async function insertHeldTrigger(tx: Tx, held: HeldTrigger, at: Date): Promise<boolean> {
  const result = await tx`
    INSERT INTO held_triggers (blueprint_uid, seq, trigger, event, held_at)
    VALUES (${held.blueprint_uid}, ${held.seq}, ${held.trigger}, ${JSON.stringify(held.event)}::text::jsonb, ${at})
    ON CONFLICT DO NOTHING`
  return result.count === 1
}

/** Blueprints for which events are held. */
export async function blueprintsWithHeld(sql: Executor): Promise<string[]> {
  const rows = await sql<{ blueprint_uid: string }[]>`SELECT DISTINCT blueprint_uid FROM held_triggers`
  return rows.map(({ blueprint_uid }) => blueprint_uid)
}

/** The one that has waited longest; null when none is held. */
export async function oldestHeld(tx: Tx, blueprintUid: string): Promise<HeldTrigger | null> {
  const [row] = await tx<HeldTrigger[]>`
    SELECT blueprint_uid, seq, trigger, event FROM held_triggers
    WHERE blueprint_uid = ${blueprintUid} ORDER BY seq, trigger LIMIT 1`
  return row ?? null
}

/** False when somebody else has delivered it. */
export async function deleteHeld(tx: Tx, { blueprint_uid, seq, trigger }: HeldTrigger): Promise<boolean> {
  const result = await tx`
    DELETE FROM held_triggers WHERE blueprint_uid = ${blueprint_uid} AND seq = ${seq} AND trigger = ${trigger}`
  return result.count === 1
}
