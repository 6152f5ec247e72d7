import { keyOf } from '../../kinds/resource.ts'
import { type Issue, placeOf } from '../../lib/issue.ts'
import type { Change, ChangeSet } from '../change-set.ts'
import { actionSymbol, summaryLine, why } from './markdown.ts'
import { printable, valueText } from './value-text.ts'

/** How words are coloured; identity functions where there is no terminal. */
export interface Paint {
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
  readonly red: (text: string) => string
  readonly dim: (text: string) => string
  readonly bold: (text: string) => string
}

const VALUE_WIDTH = 48

/** A ChangeSet for people: one line an object, its field changes below, then problems, then the counts. */
export function renderTerminal(set: ChangeSet, paint: Paint): string {
  const lines = set.changes.flatMap((change) => changeLines(change, paint))
  if (set.issues.length > 0) {
    if (lines.length > 0) lines.push('')
    lines.push(...set.issues.flatMap((issue) => issueLines(issue, paint)))
  }
  if (lines.length > 0) lines.push('')
  lines.push(paint.bold(`${summaryLine(set)}.`))
  return `${lines.join('\n')}\n`
}

function changeLines(change: Change, paint: Paint): string[] {
  const colour =
    change.action === 'create'
      ? paint.green
      : change.action === 'delete' || change.action === 'blocked'
        ? paint.red
        : paint.yellow
  const head = `${colour(`${actionSymbol(change.action)} ${change.action.padEnd(8)}`)} ${keyOf(change)}${paint.dim(printable(why(change)))}`
  const fields = change.fields.map((field) => {
    const from = field.op === 'add' ? '' : paint.red(valueText(field.from, VALUE_WIDTH))
    const to = field.op === 'remove' ? '' : paint.green(valueText(field.to, VALUE_WIDTH))
    const arrow = field.op === 'replace' ? ' → ' : ''
    return `    ${printable(field.pointer)} ${from}${arrow}${to}`
  })
  return [head, ...fields]
}

/** A problem with what to do about it. */
export function issueLines(issue: Issue, paint: Paint): string[] {
  const colour = issue.severity === 'error' ? paint.red : paint.yellow
  return [
    `${colour(issue.severity)} ${paint.bold(printable(placeOf(issue)))} ${printable(issue.message)} ${paint.dim(`[${issue.code}]`)}`,
    `    ${printable(issue.hint)}`,
  ]
}
