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
import { failed, type TaskOutcome } from './task-outcome.ts'

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
      /** Of a pod: what is known of its end besides. */
      readonly pod?: PodVerdict
    }

/** How the pod of a command ended, beyond its exit code. */
export interface PodVerdict {
  /** unread: the command ended well, and what it printed cannot be had any more. */
  readonly verdict: Process['verdict'] | 'unread'
  /** We asked it to end, for a reason that is not its own. */
  readonly stopped: boolean
  /** What the cluster says of it, where the command itself said nothing. */
  readonly note: string | null
}

type Recording = Pick<HostFleet, 'context' | 'ledger' | 'workspaces' | 'targets' | 'changed'>

/**
 * Records how the command of a task ended: its row and the task's outcome in one transaction, then the task's folder is
 * removed. Repeating it changes nothing.
 */
export async function recordCommandEnd(fleet: Recording, command: EndedCommand): Promise<void> {
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
  readonly verdict: PodVerdict['verdict']
  readonly note: string | null
  /** We asked it to end, for a reason that is not its own. */
  readonly stopped: boolean
}

function ofProcess(process: Process): Subject {
  const reason = process.stopping?.reason ?? 'exited'
  return { ...process, reason, note: null, stopped: process.stopping?.terminatedAt != null }
}

function ofRow(fleet: Recording, { row, task, end, pod }: Extract<EndedCommand, { row: unknown }>): Subject {
  return {
    ...row,
    instanceId: row.id,
    folder: fleet.workspaces.instanceFolder(row.id),
    task,
    redact: null,
    reason: end.reason,
    verdict: pod?.verdict ?? null,
    note: pod?.note ?? null,
    stopped: pod?.stopped ?? false,
  }
}

function verdictOf(
  fleet: Recording,
  of: Subject,
  task: TaskRow,
  exit: ExitRecord | null,
  redact: Redact,
): CommandVerdict {
  const { maxOutputBytes } = fleet.context.settings
  if (of.verdict === 'cancelled') return { type: 'nothing' }
  if (of.verdict === 'output') return { type: 'settle', outcome: tooLarge(maxOutputBytes, redact) }
  if (of.verdict === 'unread') return { type: 'settle', outcome: unread(of, redact) }
  // Also when a former controller sent the TERM, or none was there to send it.
  const overdue =
    of.verdict === 'timeout' || (exit !== null && task.deadline !== null && exit.at >= task.deadline.getTime())
  if (overdue) return { type: 'settle', outcome: timedOut(task.deadline!, redact) }
  if (exit?.code === 0) return { type: 'settle', outcome: resultOf(of, task, exit, maxOutputBytes, redact) }
  if (of.stopped || exit === null) return { type: 'give-back', why: whyGiven(of, redact) }
  return { type: 'settle', outcome: resultOf(of, task, exit, maxOutputBytes, redact) }
}

function whyGiven({ stopped, reason, note }: Subject, redact: Redact): string {
  const why = whyLost(stopped ? 'stopped' : reason)
  return note === null || stopped ? why : `${why}: ${redact(note)}`
}

/** It has done its work, so it is not done again. */
function unread({ note }: Subject, redact: Redact): TaskOutcome {
  const why = note === null ? '' : `: ${note}`
  return failed('agent_failed', `the command ended well, but what it printed was lost with its pod${why}`, redact)
}

function resultOf(
  { folder, note }: Subject,
  task: TaskRow,
  exit: ExitRecord,
  maxOutputBytes: number,
  redact: Redact,
): TaskOutcome {
  const out = join(folder, 'out')
  const log = readEnd(join(folder, 'err'), MESSAGE_BYTES)
  return outcomeOf(
    {
      exitCode: exit.code,
      outputBytes: sizeOf(out),
      output: readBeginning(out, maxOutputBytes),
      log: log.trim() === '' && note !== null ? `the command ended with exit code ${exit.code}: ${note}` : log,
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
