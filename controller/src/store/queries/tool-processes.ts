import type { ProcessIdentity } from '../../lib/process-identity.ts'
import type { Executor } from '../database.ts'

export interface NewToolProcess {
  readonly id: string
  readonly namespace: string
  readonly name: string
  readonly operation_id: string
  readonly run_id: string | null
  readonly actor: string
  readonly correlation_id: string
  readonly command: readonly string[]
  readonly with_run: boolean
  readonly host: string
  readonly boot_id: string
  readonly pid_namespace: string
  readonly folder: string
  readonly owner: string | null
  readonly created_at: Date
  readonly ends_at: Date
}

/** Why one is asked to end. */
export type ProcessStop = 'stopped' | 'run_ended' | 'lifetime' | 'shutdown' | 'cancelled'

/** Why one is no more: it was asked to end, or ended by itself, was never started, or nobody knows. */
export type ProcessEnd = ProcessStop | 'exited' | 'not_started' | 'lost'

export interface ToolProcessRow extends NewToolProcess {
  readonly pid: number | null
  readonly pid_start: string | null
  readonly stop_reason: ProcessStop | null
  readonly stop_asked_at: Date | null
  readonly stop_grace_ms: number | null
  readonly exit_code: number | null
  readonly end_reason: ProcessEnd | null
  readonly ended_at: Date | null
}

/**
 * Null = inserted; else what stands against it: so many run in the namespace already, or one that runs has its name. One
 * transaction at a time for each namespace.
 */
export async function insertToolProcess(
  tx: Executor,
  { command, ...row }: NewToolProcess,
  most: number,
): Promise<{ readonly running: number } | 'name' | null> {
  await tx`SELECT pg_advisory_xact_lock(hashtextextended(${`tool_processes ${row.namespace}`}, 0))`
  const [count] = await tx<{ running: number; named: boolean }[]>`
    SELECT count(*)::int AS running, coalesce(bool_or(name = ${row.name}), false) AS named
    FROM tool_processes WHERE namespace = ${row.namespace} AND ended_at IS NULL`
  if (count!.named) return 'name'
  if (count!.running >= most) return { running: count!.running }
  await tx`INSERT INTO tool_processes ${tx({ ...row, command: [...command] } as never)}`
  return null
}

export async function setToolProcessStarted(tx: Executor, id: string, { pid, start }: ProcessIdentity): Promise<void> {
  await tx`UPDATE tool_processes SET pid = ${pid}, pid_start = ${start} WHERE id = ${id} AND ended_at IS NULL`
}

/** One that never began: its call may be made again. */
export async function deleteToolProcessNotStarted(tx: Executor, operationId: string): Promise<void> {
  await tx`DELETE FROM tool_processes WHERE operation_id = ${operationId} AND end_reason = 'not_started'`
}

export async function toolProcessOf(sql: Executor, operationId: string): Promise<ToolProcessRow | null> {
  const [row] = await sql<ToolProcessRow[]>`SELECT * FROM tool_processes WHERE operation_id = ${operationId}`
  return row ?? null
}

export async function toolProcessById(sql: Executor, id: string): Promise<ToolProcessRow | null> {
  const [row] = await sql<ToolProcessRow[]>`SELECT * FROM tool_processes WHERE id = ${id}`
  return row ?? null
}

/** By its name: the one that runs, else the newest that had it. */
export async function toolProcessNamed(sql: Executor, namespace: string, name: string): Promise<ToolProcessRow | null> {
  const [row] = await sql<ToolProcessRow[]>`
    SELECT * FROM tool_processes WHERE namespace = ${namespace} AND name = ${name}
    ORDER BY ended_at IS NULL DESC, created_at DESC LIMIT 1`
  return row ?? null
}

/** The newest first. */
export async function listToolProcesses(
  sql: Executor,
  of: { readonly namespace: string; readonly actor: string | null; readonly ended: boolean; readonly limit: number },
): Promise<ToolProcessRow[]> {
  return sql<ToolProcessRow[]>`
    SELECT * FROM tool_processes
    WHERE namespace = ${of.namespace} AND (${of.actor}::text IS NULL OR actor = ${of.actor}) AND (${of.ended} OR ended_at IS NULL)
    ORDER BY created_at DESC LIMIT ${of.limit}`
}

/** What a writer looks after; `run_over`: it is to end with its run, which has ended or is gone. */
export async function toolProcessesOfOwner(
  sql: Executor,
  owner: string,
): Promise<(ToolProcessRow & { readonly run_over: boolean })[]> {
  return sql<(ToolProcessRow & { run_over: boolean })[]>`
    SELECT p.*, p.with_run AND (r.run_id IS NULL OR r.completed_at IS NOT NULL) AS run_over
    FROM tool_processes p LEFT JOIN runs r ON r.run_id = p.run_id
    WHERE p.owner = ${owner} AND p.ended_at IS NULL ORDER BY p.created_at`
}

/** What nobody looks after on this machine is the writer's from now on. */
export async function takeOrphanedToolProcesses(
  tx: Executor,
  by: { readonly writer: string; readonly host: string },
): Promise<ToolProcessRow[]> {
  return tx<ToolProcessRow[]>`
    UPDATE tool_processes SET owner = ${by.writer}
    WHERE owner IS NULL AND ended_at IS NULL AND host = ${by.host} RETURNING *`
}

/** The first who asks says why; whoever asks for less time to end gets it. */
export async function stopToolProcess(
  tx: Executor,
  id: string,
  by: { readonly reason: ProcessStop; readonly at: Date; readonly graceMs: number },
): Promise<void> {
  await tx`
    UPDATE tool_processes SET stop_reason = coalesce(stop_reason, ${by.reason}), stop_asked_at = coalesce(stop_asked_at, ${by.at}),
      stop_grace_ms = least(stop_grace_ms, ${by.graceMs})
    WHERE id = ${id} AND ended_at IS NULL`
}

/** Null when its end was recorded before. */
export async function endToolProcess(
  tx: Executor,
  id: string,
  end: { readonly exitCode: number | null; readonly reason: ProcessEnd; readonly at: Date },
): Promise<ToolProcessRow | null> {
  const [row] = await tx<ToolProcessRow[]>`
    UPDATE tool_processes SET owner = NULL, exit_code = ${end.exitCode}, end_reason = ${end.reason}, ended_at = ${end.at}
    WHERE id = ${id} AND ended_at IS NULL RETURNING *`
  return row ?? null
}

/** Those whose machine did not come back before their time was over. */
export async function forsakenToolProcesses(sql: Executor, now: Date): Promise<ToolProcessRow[]> {
  return sql<ToolProcessRow[]>`
    SELECT * FROM tool_processes WHERE ended_at IS NULL AND owner IS NULL AND ends_at <= ${now} ORDER BY ends_at LIMIT 100`
}

/** Ended before then; their folders. At most `limit` a transaction. */
export async function deleteToolProcessesBefore(tx: Executor, before: Date, limit: number): Promise<string[]> {
  const rows = await tx<{ folder: string }[]>`
    DELETE FROM tool_processes WHERE id IN (SELECT id FROM tool_processes WHERE ended_at < ${before} ORDER BY ended_at LIMIT ${limit})
    RETURNING folder`
  return rows.map(({ folder }) => folder)
}
