import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { readEnd, sizeOf } from '../lib/programs/log-file.ts'
import { type ExitRecord, readExit } from '../lib/programs/record.ts'
import type { TaskRow } from '../store/queries/tasks.ts'
import { type EndReason, whyLost } from './end-reasons.ts'
import type { HostFleet } from './fleet.ts'
import { readRecord, redactorFor } from './instance-record.ts'
import type { CommandVerdict } from './ledger.ts'
import type { Process } from './process-table.ts'
import type { Redact } from './redaction.ts'
import { outcomeOf, timedOut, tooLarge } from './task-command.ts'
import type { TaskOutcome } from './task-outcome.ts'

/** More of a log's end than a message holds, so that a secret cut in halves at its beginning is not shown. */
const MESSAGE_BYTES = 16 * 1024

/** A command that this controller watched, or the row of one that it found ended. */
export type EndedCommand =
  | { readonly process: Process }
  | {
      readonly row: {
        readonly id: string
        readonly agentUid: string
        readonly namespace: string
        readonly agent: string
      }
      readonly task: TaskRow | null
      readonly end: { readonly type: 'exited' | 'lost'; readonly exitCode: number | null; readonly reason: EndReason }
    }

/**
 * Records how the command of a task ended: its row and the task's outcome in one transaction, then the task's folder is
 * removed. Repeating it changes nothing.
 */
export async function recordCommandEnd(fleet: HostFleet, command: EndedCommand): Promise<void> {
  const of = 'process' in command ? ofProcess(command.process) : ofRow(fleet, command)
  const exit = readExit(of.folder)
  const redact = of.redact ?? (await redactorFor(of.folder, fleet.context.secrets))
  const verdict = of.task === null ? ({ type: 'nothing' } as const) : verdictOf(fleet, of, of.task, exit, redact)
  const attempt = of.task === null ? null : { task_id: of.task.task_id, attempt: of.task.attempt }
  await fleet.ledger.commandEnded(of.instanceId, { exitCode: exit?.code ?? null, reason: of.reason, attempt, verdict })
  const keep = of.task === null || of.task.keep_workspace || (readRecord(of.folder)?.keepWorkspace ?? false)
  if (!keep) await fleet.workspaces.removeTaskFolder(of.agentUid, of.task!)
  // Commands come and go without anything about their agent changing, unless that one is going away.
  if (fleet.targets.get(of.agentUid)?.deleting === true) fleet.changed(of)
}

interface Subject {
  readonly instanceId: string
  readonly agentUid: string
  readonly namespace: string
  readonly agent: string
  readonly folder: string
  readonly task: TaskRow | null
  readonly redact: Redact | null
  readonly reason: EndReason
  readonly verdict: Process['verdict']
  /** We asked it to end, for a reason that is not its own. */
  readonly stopped: boolean
}

function ofProcess(process: Process): Subject {
  const reason = process.stopping?.reason ?? 'exited'
  return { ...process, reason, stopped: process.stopping?.terminatedAt != null }
}

function ofRow(fleet: HostFleet, { row, task, end }: Extract<EndedCommand, { row: unknown }>): Subject {
  return {
    ...row,
    instanceId: row.id,
    folder: fleet.workspaces.instanceFolder(row.id),
    task,
    redact: null,
    reason: end.reason,
    verdict: null,
    stopped: false,
  }
}

function verdictOf(
  fleet: HostFleet,
  of: Subject,
  task: TaskRow,
  exit: ExitRecord | null,
  redact: Redact,
): CommandVerdict {
  const { maxOutputBytes } = fleet.context.settings
  if (of.verdict === 'cancelled') return { type: 'nothing' }
  if (of.verdict === 'output') return { type: 'settle', outcome: tooLarge(maxOutputBytes, redact) }
  // Also when a former controller sent the TERM, or none was there to send it.
  const overdue =
    of.verdict === 'timeout' || (exit !== null && task.deadline !== null && exit.at >= task.deadline.getTime())
  if (overdue) return { type: 'settle', outcome: timedOut(task.deadline!, redact) }
  if (exit?.code === 0) return { type: 'settle', outcome: resultOf(of.folder, task, exit, maxOutputBytes, redact) }
  if (of.stopped || exit === null) return { type: 'give-back', why: whyLost(of.stopped ? 'stopped' : of.reason) }
  return { type: 'settle', outcome: resultOf(of.folder, task, exit, maxOutputBytes, redact) }
}

function resultOf(
  folder: string,
  task: TaskRow,
  exit: ExitRecord,
  maxOutputBytes: number,
  redact: Redact,
): TaskOutcome {
  const out = join(folder, 'out')
  return outcomeOf(
    {
      exitCode: exit.code,
      outputBytes: sizeOf(out),
      output: readBeginning(out, maxOutputBytes),
      log: readEnd(join(folder, 'err'), MESSAGE_BYTES),
    },
    { schema: task.output_schema, maxOutputBytes, redact },
  )
}

function readBeginning(file: string, maxBytes: number): Uint8Array {
  const length = Math.min(sizeOf(file), maxBytes)
  if (length === 0) return new Uint8Array()
  const descriptor = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(length)
    let filled = 0
    while (filled < length) {
      const read = readSync(descriptor, bytes, filled, length - filled, filled)
      if (read === 0) break
      filled += read
    }
    return bytes.subarray(0, filled)
  } finally {
    closeSync(descriptor)
  }
}
