import { keyOf } from '../../kinds/resource.ts'
import { type Issue, placeOf } from '../../lib/issue.ts'
import type { Change, FieldChange } from '../change-set.ts'
import type { Effect, Risk } from '../effects/effect.ts'
import { reachOf, reachText } from '../effects/reach.ts'
import type { Outlook } from '../outlook/outlook.ts'
import { actionSymbol, ignoredLine, outlookRows, type ShownSet, summaryLine, verdictLines, why } from './markdown.ts'
import { printable, valueText } from './value-text.ts'

/** How words are coloured; identity functions where there is no terminal. */
export interface Paint {
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
  readonly red: (text: string) => string
  readonly dim: (text: string) => string
  readonly bold: (text: string) => string
}

const COLUMNS = 80
const VALUE_WIDTH = 60

/** A ChangeSet for people: one line an object, its field changes below, then what it does, problems, and the counts. */
export function renderTerminal(set: ShownSet, paint: Paint): string {
  const lines = set.changes.flatMap((change, i) => changeLines(change, set.changes[i - 1], paint))
  const { effects = [], risk = 'low' } = set
  if (effects.length > 0) lines.push('', `What it does, risk ${paint.bold(riskPaint(risk, paint)(risk))}:`)
  lines.push(...effects.flatMap((effect, i) => effectLines(effect, effects[i - 1], paint)))
  if (effects.length > 0)
    lines.push(
      ...wrap(`Reach: ${printable(reachText(reachOf(set, effects)))}.`, COLUMNS - 2).map((line) => `  ${line}`),
    )
  lines.push(...outlookLines(set.outlook))
  if (set.issues.length > 0) {
    if (lines.length > 0) lines.push('')
    lines.push(...set.issues.flatMap((issue) => issueLines(issue, paint)))
  }
  if (lines.length > 0) lines.push('')
  lines.push(paint.bold(`${summaryLine(set)}.`))
  if (set.ignored > 0) lines.push(paint.dim(ignoredLine(set.ignored)))
  return `${lines.join('\n')}\n`
}

/** A long reason stands below, and only once for neighbours that share it. */
function changeLines(change: Change, before: Change | undefined, paint: Paint): string[] {
  const colour =
    change.action === 'create'
      ? paint.green
      : change.action === 'delete' || change.action === 'blocked'
        ? paint.red
        : paint.yellow
  const action = `${actionSymbol(change.action)} ${change.action.padEnd(8)}`
  const key = printable(keyOf(change))
  const reason = printable(why(change))
  const fits = `${action} ${key}${reason}`.length <= COLUMNS
  const { message, ...brief } = change
  const head = `${colour(action)} ${key}${paint.dim(fits ? reason : printable(why(brief)))}`
  const told = fits || message === undefined || (before?.reason === change.reason && before?.message === message)
  return [
    head,
    ...(told ? [] : [`    ${paint.dim(printable(message))}`]),
    ...verdictLines(change).map((line) => `    ${paint.dim(printable(line))}`),
    ...change.fields.flatMap((field) => fieldLines(field, paint)),
  ]
}

/** What a field was and becomes: on one line where both fit into 80 columns, else below each other. */
function fieldLines(field: FieldChange, paint: Paint): string[] {
  const pointer = printable(field.pointer)
  const from = field.op === 'add' ? '' : valueText(field.from, VALUE_WIDTH)
  const to = field.op === 'remove' ? '' : valueText(field.to, VALUE_WIDTH)
  const arrow = field.op === 'replace' ? ' → ' : ''
  const sign = field.op === 'add' ? '+' : field.op === 'remove' ? '-' : '~'
  if (`    ${sign} ${pointer} ${from}${arrow}${to}`.length <= COLUMNS) {
    return [`    ${sign} ${pointer} ${paint.red(from)}${arrow}${paint.green(to)}`]
  }
  const values = [
    ...(field.op === 'add' ? [] : [`        - ${paint.red(from)}`]),
    ...(field.op === 'remove' ? [] : [`        + ${paint.green(to)}`]),
  ]
  return [`    ${sign} ${pointer}`, ...values]
}

function riskPaint(risk: Risk, paint: Paint): (text: string) => string {
  return risk === 'high' ? paint.red : risk === 'medium' ? paint.yellow : paint.green
}

/** The object's name stands above the first of its effects. */
function effectLines(effect: Effect, before: Effect | undefined, paint: Paint): string[] {
  const key = keyOf(effect)
  const head = before !== undefined && keyOf(before) === key ? [] : [`  ${printable(key)}`]
  const risk = riskPaint(effect.risk, paint)(effect.risk.padEnd(6))
  const [first = '', ...more] = wrap(printable(effect.message), COLUMNS - 11)
  return [...head, `    ${risk} ${first}`, ...more.map((line) => `           ${line}`)]
}

/** Runs that are overtaken, and what is spent: as last observed, so it is told apart from what the change does by itself. */
function outlookLines(outlook: Outlook | undefined): string[] {
  if (outlook === undefined) return []
  const told = outlookRows(outlook)
  const lines = told.flatMap(({ key, what, message }, i) => {
    const [first = '', ...more] = wrap(printable(message), COLUMNS - 11)
    const head = told[i - 1]?.key === key ? [] : [`  ${printable(key)}`]
    return [...head, `    ${what.padEnd(6)} ${first}`, ...more.map((line) => `           ${line}`)]
  })
  if (outlook.unknown !== null) lines.push(...wrap(printable(outlook.unknown), COLUMNS - 2).map((line) => `  ${line}`))
  return lines.length === 0 ? [] : ['', 'What comes of it, as last observed:', ...lines]
}

/** Breaks at blanks; a word that is longer stands alone. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** A problem with what to do about it. */
export function issueLines(issue: Issue, paint: Paint): string[] {
  const colour = issue.severity === 'error' ? paint.red : paint.yellow
  return [
    `${colour(issue.severity)} ${paint.bold(printable(placeOf(issue)))} ${printable(issue.message)} ${paint.dim(`[${issue.code}]`)}`,
    `    ${printable(issue.hint)}`,
  ]
}
