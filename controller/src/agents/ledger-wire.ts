import type { Json } from '../lib/json.ts'
import type { InstanceRow, NewInstance } from '../store/queries/instances.ts'
import type { TaskRow } from '../store/queries/tasks.ts'
import type { EndReason, StopReason } from './end-reasons.ts'
import type { CommandVerdict, TaskAttempt } from './ledger.ts'

/** A new row as a joined host asks for it; the host, and what its room is, the control plane knows itself. */
export type WireInstance = Omit<NewInstance, 'host' | 'createdAt' | 'bootId'>

/** What a joined host asks of the ledger, one request a method. */
export type LedgerRequest =
  | { readonly op: 'look'; readonly agent_uid: string; readonly replicas: number }
  | { readonly op: 'living' }
  | { readonly op: 'lost' }
  | { readonly op: 'used_slots' }
  | { readonly op: 'tasks_of'; readonly instance_ids: readonly string[] }
  | { readonly op: 'queue'; readonly instance_ids: readonly string[] }
  | { readonly op: 'ended_before'; readonly instance_ids: readonly string[]; readonly before: string }
  | { readonly op: 'insert'; readonly row: WireInstance }
  | { readonly op: 'claim'; readonly row: WireInstance }
  | { readonly op: 'started'; readonly id: string; readonly pid: number; readonly start: string }
  | { readonly op: 'adopted'; readonly id: string; readonly pid: number; readonly start: string }
  | { readonly op: 'draining'; readonly id: string; readonly reason: StopReason }
  | { readonly op: 'not_started'; readonly id: string; readonly message: string }
  | {
      readonly op: 'ended'
      readonly id: string
      readonly exit_code: number | null
      readonly reason: EndReason
      readonly pid: number | null
    }
  | {
      readonly op: 'command_ended'
      readonly id: string
      readonly exit_code: number | null
      readonly reason: EndReason
      readonly attempt: TaskAttempt | null
      readonly verdict: CommandVerdict
    }
  /** What keeps replicas of an agent from running here; null = nothing any more. */
  | { readonly op: 'report'; readonly agent_uid: string; readonly report: Json }
  | { readonly op: 'secret'; readonly name: string; readonly key: string }

/** Rows as they were before they became JSON. */
export function instanceOfWire(row: InstanceRow): InstanceRow {
  return {
    ...row,
    created_at: new Date(row.created_at),
    registered_at: dateOrNull(row.registered_at),
    last_heartbeat_at: dateOrNull(row.last_heartbeat_at),
    ended_at: dateOrNull(row.ended_at),
  }
}

export function taskOfWire(row: TaskRow): TaskRow {
  return {
    ...row,
    created_at: new Date(row.created_at),
    lease_until: dateOrNull(row.lease_until),
    deadline: dateOrNull(row.deadline),
    completed_at: dateOrNull(row.completed_at),
  }
}

function dateOrNull(value: Date | string | null): Date | null {
  return value === null ? null : new Date(value)
}
