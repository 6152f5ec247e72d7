import { keyOf } from '../../kinds/resource.ts'
import { type Issue, placeOf } from '../../lib/issue.ts'
import { ACTIONS, type Change, type ChangeSet, type FieldChange } from '../change-set.ts'
import type { Effect } from '../effects/effect.ts'
import type { PlannedEffects } from '../effects/effects-of.ts'
import { reachOf, reachText } from '../effects/reach.ts'
import type { Outlook } from '../outlook/outlook.ts'
import { printable, valueText } from './value-text.ts'

/** A comment on a forge takes 65,536 characters. */
const MAX_CHANGES = 100
const MAX_ISSUES = 100
const MAX_EFFECTS = 100
const SYMBOL: Readonly<Record<string, string>> = { create: '+', update: '~', delete: '-', skip: '·', blocked: '!' }

/** A plan as far as it is known: with what it does, and what comes of it. */
export type ShownSet = ChangeSet & Partial<PlannedEffects> & { readonly outlook?: Outlook }

/** What a pull request shows. `observed` names what "before" was read from (the status branch), null = nothing was observed. */
export function renderMarkdown(set: ShownSet, observed: string | null): string {
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
  const { effects = [], risk = 'low' } = set
  if (effects.length > 0) {
    lines.push(`### What it does: risk **${risk}**`, '', '| risk | object | effect |', '|---|---|---|')
    lines.push(...effects.slice(0, MAX_EFFECTS).map(effectRow), '')
    if (effects.length > MAX_EFFECTS) lines.push(`… and ${effects.length - MAX_EFFECTS} more effects`, '')
    lines.push(`Reach: ${cell(reachText(reachOf(set, effects)))}.`, '')
  }
  if (set.outlook !== undefined) lines.push(...outlookTable(set.outlook))
  if (set.issues.length > 0) {
    lines.push('| | place | problem | what to do | code |', '|---|---|---|---|---|')
    lines.push(...set.issues.slice(0, MAX_ISSUES).map(issueRow), '')
    if (set.issues.length > MAX_ISSUES) lines.push(`… and ${set.issues.length - MAX_ISSUES} more problems`, '')
  }
  if (set.ignored > 0) lines.push(ignoredLine(set.ignored), '')
  lines.push(`Plan digest \`${set.digest}\``, '')
  return lines.join('\n')
}

/** What is told of what comes of a change, objects together. */
export function outlookRows({ runs, spend }: Outlook): { key: string; what: 'runs' | 'spend'; message: string }[] {
  const rows = [
    ...runs.map((each) => ({ key: keyOf(each), what: 'runs' as const, message: each.message })),
    ...spend.map((each) => ({ key: keyOf(each), what: 'spend' as const, message: each.message })),
  ]
  return [...Map.groupBy(rows, ({ key }) => key).values()].flat().slice(0, MAX_EFFECTS)
}

function outlookTable(outlook: Outlook): string[] {
  const rows = outlookRows(outlook)
  if (outlook.unknown !== null) return [`${cell(outlook.unknown)}.`, '']
  if (rows.length === 0) return []
  return [
    '### What comes of it, as last observed',
    '',
    '| object | | |',
    '|---|---|---|',
    ...rows.map(({ key, what, message }) => `| ${code(key)} | ${what} | ${cell(message)} |`),
    '',
  ]
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
    ...verdictLines(change).map((line) => `#   ${printable(line)}`),
    ...change.fields.flatMap(fieldLines),
  ]
}

/** What was decided about a change that is not held, and by whom; what would have been decided. */
export function verdictLines({ held, verdict, approval, advisory = [] }: Change): string[] {
  const agreed = approval?.approvers ?? []
  const asks = (approval?.asks ?? []).map(({ by }) => by)
  return [
    ...(held !== undefined || agreed.length === 0
      ? []
      : [`approved by ${agreed.join(', ')}, as ${asks.join(' and ')} asks`]),
    ...(verdict?.effect === 'allow' && asks.length === 0 ? [`allowed: ${verdict.by}`] : []),
    ...advisory,
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

function row(text: string): string {
  return printable(text.replaceAll('\n', ' ')).replaceAll('|', '\\|')
}

function cell(text: string): string {
  return row(text).replaceAll('<', '&lt;')
}

function code(text: string): string {
  return `\`${row(text).replaceAll('`', "'")}\``
}

function effectRow(effect: Effect): string {
  return `| ${effect.risk} | ${code(keyOf(effect))} | ${cell(effect.message)} |`
}

function issueRow(issue: Issue): string {
  return `| ${issue.severity} | ${code(placeOf(issue))} | ${cell(issue.message)} | ${cell(issue.hint)} | ${issue.code} |`
}

function short(revision: string | null): string {
  return revision === null ? 'nothing' : revision.slice(0, 12)
}
