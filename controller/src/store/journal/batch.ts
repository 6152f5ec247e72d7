import { canonicalJson } from '../../lib/digest.ts'
import { batchDigest, eventDigest } from '../log-digest.ts'
import type { NewEvent } from '../ports.ts'
import { cleanJson, cleanText, isSuspect } from './clean.ts'
import { arrays, type Cells, cellsOf } from './columns.ts'
import type { Transition } from './rows.ts'
import { ANNOUNCE_ON, statementFor } from './statement.ts'
import {
  CONSUMED,
  DECISIONS,
  type DigestedEvent,
  EFFECTS,
  EVENTS,
  GATES,
  NEW_RUNS,
  RUNS,
  STEPS,
  stateCells,
  TABLES,
  TASK_CANCELS,
  TASKS,
  type TableName,
  WAIT_ENDS,
  WAITS,
} from './tables.ts'

interface Keyed {
  readonly key: string
  readonly cells: Cells
}

/** A transition as it waits in the queue: cells that only need to be put together, and their size. */
export interface Serialised {
  readonly runId: string
  readonly created: Cells | null
  readonly run: Cells | null
  readonly steps: readonly Keyed[]
  readonly gates: readonly Keyed[]
  readonly effects: readonly Keyed[]
  /** Keyed by step. */
  readonly tasks: readonly Keyed[]
  readonly taskCancels: readonly Keyed[]
  readonly waits: readonly Keyed[]
  readonly waitEnds: readonly Keyed[]
  readonly consumed: readonly Cells[]
  readonly decisions: readonly Cells[]
  readonly events: readonly Cells[]
  readonly digests: readonly Buffer[]
  readonly bytes: number
}

/** Cleans and serialises a transition. After this nothing of it changes, and what it weighs is known. */
export function serialise(transition: Transition): Serialised {
  const events = transition.events.map(digested)
  const rows = {
    created: transition.created == null ? null : cellsOf(NEW_RUNS, transition.created),
    run: transition.run === null ? null : cellsOf(RUNS, transition.run),
    steps: transition.steps.map((row) => ({
      key: `${row.run_id}/${row.path}/${row.attempt}`,
      cells: cellsOf(STEPS, row),
    })),
    gates: transition.gates.map((row) => ({ key: row.step_id, cells: cellsOf(GATES, row) })),
    effects: transition.effects.map((row) => ({ key: row.operation_id, cells: cellsOf(EFFECTS, row) })),
    tasks: transition.tasks.map((row) => ({ key: row.step_id, cells: cellsOf(TASKS, row) })),
    taskCancels: transition.taskCancels.map((row) => ({ key: row.step_id, cells: cellsOf(TASK_CANCELS, row) })),
    waits: transition.waits.map((row) => ({ key: row.step_id, cells: cellsOf(WAITS, row) })),
    waitEnds: transition.waitEnds.map((row) => ({ key: row.step_id, cells: cellsOf(WAIT_ENDS, row) })),
    consumed: transition.consumed.map((row) => cellsOf(CONSUMED, row)),
    decisions: (transition.decisions ?? []).map((row) => cellsOf(DECISIONS, row)),
    events: events.map((event) => cellsOf(EVENTS, event)),
  }
  return { runId: transition.run_id, ...rows, digests: events.map(({ digest }) => digest), bytes: weight(rows) }
}

/** The digest of an event is over what is stored, so it is cleaned before; what it reads of `data` is what is sent. */
export function digested(event: NewEvent): DigestedEvent {
  let text = canonicalJson(event.data)
  if (isSuspect(text)) text = canonicalJson(cleanJson(event.data).value)
  const actor = cleanText(event.actor)
  const correlation = cleanText(event.correlation_id)
  const isClean = actor === event.actor && correlation === event.correlation_id
  const cleaned = isClean ? event : { ...event, actor, correlation_id: correlation }
  return { event: cleaned, text, digest: eventDigest(cleaned, text) }
}

function weight(rows: Omit<Serialised, 'runId' | 'digests' | 'bytes'>): number {
  let bytes = 0
  const add = (cells: Cells): void => {
    for (const cell of cells) bytes += cell === null ? 4 : cell.length + 3
  }
  if (rows.created !== null) add(rows.created)
  if (rows.run !== null) add(rows.run)
  for (const keyed of [rows.steps, rows.gates, rows.effects, rows.tasks, rows.taskCancels, rows.waits, rows.waitEnds]) {
    for (const { cells } of keyed) add(cells)
  }
  for (const cells of rows.consumed) add(cells)
  for (const cells of rows.decisions) add(cells)
  for (const cells of rows.events) add(cells)
  return bytes
}

export interface Batch {
  readonly statement: string
  readonly parameters: readonly (string | number)[]
  readonly events: number
}

/** These transitions, in order, as one batch: a statement and its parameters. */
export function batchOf(transitions: readonly Serialised[], writer: string, n: number): Batch {
  const rows = rowsOf(transitions)
  const { moved, events } = rows
  const { tables, text } = statementFor((table) => rows[table].length > 0)
  const digest = batchDigest(transitions.flatMap((one) => one.digests))
  return {
    events: events.length,
    statement: text,
    parameters: [
      writer,
      n,
      moved.length,
      events.length,
      digest.toString('hex'),
      ANNOUNCE_ON,
      ...tables.flatMap((table) => arrays(TABLES[table], rows[table])),
    ],
  }
}

function rowsOf(transitions: readonly Serialised[]): Readonly<Record<TableName, readonly Cells[]>> {
  const keyed = (rows: (one: Serialised) => readonly Keyed[]) => lastOfEach(transitions.flatMap(rows))
  const taskCancels = transitions.flatMap((one) => one.taskCancels)
  const waitEnds = transitions.flatMap((one) => one.waitEnds)
  const cancelled = new Set(taskCancels.map(({ key }) => key))
  const ended = new Set(waitEnds.map(({ key }) => key))
  return {
    ...foldRuns(transitions),
    steps: keyed((one) => one.steps),
    gates: keyed((one) => one.gates),
    effects: keyed((one) => one.effects),
    // A task that is cancelled in the batch that would create it never was, nor was a wait that ends where it begins.
    tasks: keyed((one) => one.tasks.filter(({ key }) => !cancelled.has(key))),
    taskCancels: lastOfEach(taskCancels),
    consumed: transitions.flatMap((one) => one.consumed),
    decisions: transitions.flatMap((one) => one.decisions),
    events: transitions.flatMap((one) => one.events),
    waits: keyed((one) => one.waits.filter(({ key }) => !ended.has(key))),
    waitEnds: lastOfEach(waitEnds),
  }
}

/** Two source rows for one target row would apply one of them silently: a row appears once a batch, as it is at its end. */
function lastOfEach(rows: readonly Keyed[]): Cells[] {
  const last = new Map<string, Cells>()
  for (const { key, cells } of rows) last.set(key, cells)
  return [...last.values()]
}

const FROM = RUNS.findIndex(({ name }) => name === 'from_status')

/**
 * At most one row a run: what the last transition writes, from the states the first one starts from. A run that is made in
 * this batch is inserted as it stands at its end.
 */
function foldRuns(transitions: readonly Serialised[]): { readonly created: Cells[]; readonly moved: Cells[] } {
  const created = new Map<string, Cells>()
  const moved = new Map<string, Cells>()
  for (const { runId, created: fresh, run } of transitions) {
    if (fresh !== null) created.set(runId, fresh)
    if (run === null) continue
    const first = moved.get(runId)
    moved.set(runId, first === undefined ? run : run.with(FROM, first[FROM]!))
  }
  for (const [runId, cells] of created) {
    created.set(runId, [...cells, ...stateCells(moved.get(runId)!)])
    moved.delete(runId)
  }
  return { created: [...created.values()], moved: [...moved.values()] }
}
