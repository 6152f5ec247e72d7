import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { endInstance } from '../store/queries/instances.ts'
import type { TaskRow } from '../store/queries/tasks.ts'
import { transact } from '../store/transact.ts'
import { whyLost } from './end-instance.ts'
import type { EndReason } from './end-reasons.ts'
import type { Fleet } from './fleet.ts'
import { readRecord, redactorFor } from './instance-record.ts'
import type { Process } from './process-table.ts'
import type { Redact } from './redaction.ts'
import { readEnd, sizeOf } from './runtimes/process/log-file.ts'
import { type ExitRecord, readExit } from './runtimes/process/record.ts'
import { outcomeOf, timedOut, tooLarge } from './task-command.ts'
import type { TaskOutcome } from './task-outcome.ts'
import { announce, appendChanges, giveBack, settleTask, type TaskChange } from './tasks.ts'

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

/** What becomes of a command's task: it has a result, goes back to the queue, or (cancelled) nothing. */
type Verdict =
  | { readonly type: 'settle'; readonly outcome: TaskOutcome }
  | { readonly type: 'give-back'; readonly why: string }
  | { readonly type: 'nothing' }

/**
 * Records how the command of a task ended: its row and the task's outcome in one transaction, then the task's folder is
 * removed. Repeating it changes nothing.
 */
export async function recordCommandEnd(fleet: Fleet, command: EndedCommand): Promise<void> {
  const { store, settings } = fleet.context
  const of = 'process' in command ? ofProcess(command.process) : ofRow(fleet, command)
  const exit = readExit(of.folder)
  const redact = of.redact ?? (await redactorFor(of.folder, fleet.context.secrets))
  const verdict = of.task === null ? ({ type: 'nothing' } as const) : verdictOf(fleet, of, of.task, exit, redact)
  const change = await transact(store, async (tx): Promise<TaskChange | null> => {
    let change: TaskChange | null = null
    if (verdict.type === 'settle') change = await settleTask(tx, store, of.task!, verdict.outcome, 'agent')
    if (verdict.type === 'give-back') change = await giveBack(tx, store, of.task!, verdict.why, settings.maxAttempts)
    await endInstance(tx, of.instanceId, {
      endedAt: store.clock.now(),
      exitCode: exit?.code ?? null,
      reason: of.reason,
    })
    if (change !== null) await appendChanges(tx, store, [change])
    return change
  })
  if (change !== null) announce(fleet, [change])
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

function ofRow(fleet: Fleet, { row, task, end }: Extract<EndedCommand, { row: unknown }>): Subject {
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

function verdictOf(fleet: Fleet, of: Subject, task: TaskRow, exit: ExitRecord | null, redact: Redact): Verdict {
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
