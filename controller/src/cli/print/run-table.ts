import { ageOf } from '../../kinds/printer-cell.ts'
import { shortRevision } from '../../lib/short-revision.ts'
import { msBetween, tookText } from '../../lib/took.ts'
import type { RunDto } from '../client/dto.ts'
import type { Colors } from '../terminal.ts'
import { colorOfPhase } from './object-table.ts'
import { failureLine } from './run-failure.ts'
import { renderTable } from './table.ts'

export interface RunTableOptions {
  readonly wide: boolean
  readonly withNamespace: boolean
  readonly now: Date
  readonly width: number | null
  readonly colors: Colors
}

/** Runs one below the other: where each is, how long it took or has taken until now, what it waits for or why it ended. */
export function renderRunTable(runs: readonly RunDto[], options: RunTableOptions): string {
  const { wide, withNamespace, now, width, colors } = options
  const columns = [
    ...(withNamespace ? [{ head: 'Namespace' }] : []),
    { head: 'Name' },
    { head: 'Status' },
    { head: 'Blueprint', shrinks: true },
    { head: 'Age' },
    { head: 'Took' },
    ...(wide ? ['Revision', 'Trigger', 'Actor', 'Id'].map((head) => ({ head })) : []),
    { head: 'Message', shrinks: true },
  ]
  const status = withNamespace ? 2 : 1
  const rows = runs.map((run) => [
    ...(withNamespace ? [run.namespace] : []),
    run.name,
    run.status,
    run.blueprint_ref ?? '-',
    ageOf(run.created_at, now),
    run.started_at === null ? '-' : tookText(msBetween(run.started_at, run.completed_at ?? now)),
    ...(wide ? [shortRevision(run.revision), run.trigger, run.actor, run.run_id] : []),
    messageOf(run),
  ])
  return renderTable(columns, rows, {
    width,
    style: (text, column, isHead) => (!isHead && column === status ? colorOfPhase(text, colors) : text),
  })
}

function messageOf({ error, condition, status }: RunDto): string {
  if (error !== null) return failureLine(error)
  if (condition !== null) return String(condition['message'] ?? condition['reason'] ?? '-')
  return status === 'created' ? 'waits for a worker' : '-'
}
