import { keyOf } from '../../kinds/resource.ts'
import { type Issue, placeOf } from '../../lib/issue.ts'
import { ACTIONS, type Change, type ChangeSet, type FieldChange } from '../change-set.ts'
import { printable, valueText } from './value-text.ts'

/** A comment on a forge takes 65,536 characters. */
const MAX_CHANGES = 100
const MAX_ISSUES = 100
const SYMBOL: Readonly<Record<string, string>> = { create: '+', update: '~', delete: '-', skip: '·', blocked: '!' }

/** What a pull request shows. `observed` names what "before" was read from (the status branch), null = nothing was observed. */
export function renderMarkdown(set: ChangeSet, observed: string | null): string {
  const lines = [
    '## Stateward plan',
    '',
    `\`${short(set.fromRevision)}\` → \`${short(set.toRevision)}\`, observed: ${observed === null ? 'none' : `\`${short(observed)}\``}`,
    '',
    `**${summaryLine(set)}**`,
    '',
  ]
  const shown = set.changes.slice(0, MAX_CHANGES)
  if (shown.length > 0) lines.push('```diff', ...shown.flatMap(changeLines), '```', '')
  if (set.changes.length > shown.length) lines.push(`… and ${set.changes.length - shown.length} more changes`, '')
  if (set.issues.length > 0) {
    lines.push('| | place | problem | what to do | code |', '|---|---|---|---|---|')
    lines.push(...set.issues.slice(0, MAX_ISSUES).map(issueRow), '')
    if (set.issues.length > MAX_ISSUES) lines.push(`… and ${set.issues.length - MAX_ISSUES} more problems`, '')
  }
  if (set.ignored > 0) lines.push(ignoredLine(set.ignored), '')
  lines.push(`Plan digest \`${set.digest}\``, '')
  return lines.join('\n')
}

/** How many documents are not ours. */
export function ignoredLine(count: number): string {
  return count === 1 ? '1 document of another tool was ignored.' : `${count} documents of other tools were ignored.`
}

/** `2 create, 1 update, 7 unchanged`. */
export function summaryLine(set: Pick<ChangeSet, 'counts'>): string {
  const parts = ACTIONS.filter((action) => set.counts[action] > 0).map((action) => `${set.counts[action]} ${action}`)
  return parts.length === 0 ? 'nothing is declared' : parts.join(', ')
}

function changeLines(change: Change): string[] {
  const sign = change.action === 'create' ? '+' : change.action === 'delete' ? '-' : '!'
  return [
    `${sign} ${change.action} ${printable(keyOf(change))}${printable(why(change))}`,
    ...change.fields.flatMap(fieldLines),
  ]
}

function fieldLines(field: FieldChange): string[] {
  const from = `-   ${printable(field.pointer)}: ${valueText(field.from, 200)}`
  const to = `+   ${printable(field.pointer)}: ${valueText(field.to, 200)}`
  if (field.op === 'add') return [to]
  if (field.op === 'remove') return [from]
  return [from, to]
}

/** Why it is blocked or skipped, what else made it change, and what of it is not acted on yet. */
export function why(change: Change): string {
  const parts = [
    change.reason === undefined ? '' : `${change.reason}${change.message === undefined ? '' : `: ${change.message}`}`,
    change.notYetEnforced === true ? 'NotYetEnforced' : '',
  ]
  const text = parts.filter((part) => part !== '').join('; ')
  return text === '' ? '' : ` (${text})`
}

export function actionSymbol(action: string): string {
  return SYMBOL[action] ?? ' '
}

function issueRow(issue: Issue): string {
  const row = (text: string) => printable(text.replaceAll('\n', ' ')).replaceAll('|', '\\|')
  const cell = (text: string) => row(text).replaceAll('<', '&lt;')
  return `| ${issue.severity} | \`${row(placeOf(issue)).replaceAll('`', "'")}\` | ${cell(issue.message)} | ${cell(issue.hint)} | ${issue.code} |`
}

function short(revision: string | null): string {
  return revision === null ? 'nothing' : revision.slice(0, 12)
}
