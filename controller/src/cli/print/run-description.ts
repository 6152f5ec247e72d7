import { ERRORS } from '../../lib/error-catalogue.ts'
import { isObject } from '../../lib/json.ts'
import type { EventDto, RunDto, StepDto } from '../client/dto.ts'
import type { Colors } from '../terminal.ts'
import { ageOf, shortRevision } from './cell.ts'
import { renderEventTable } from './event-lines.ts'
import { indent, renderFields, renderSection, renderValue } from './fields.ts'
import { terminalText } from './inline-text.ts'
import type { DescriptionContext } from './object-description.ts'
import { colorOfPhase } from './object-table.ts'
import { renderTable } from './table.ts'

export interface RunDescription {
  readonly run: RunDto
  readonly steps: readonly StepDto[]
  readonly events: readonly EventDto[]
  /** A command of this program, ready to be copied. */
  readonly command: (...words: string[]) => string
}

/** A run as a person asks about it: where it is, what it waits for and how to go on, then each step with what went in and out. */
export function renderRun({ run, steps, events, command }: RunDescription, context: DescriptionContext): string {
  const { colors, now, width } = context
  const waiting = steps.filter(isWaitingForPeople)
  return [
    renderHead(run, context),
    renderSection('Inputs', renderValue(run.inputs), colors),
    renderSection('Steps', renderTimeline(steps, context), colors),
    renderSection('Waits for a decision', waiting.map((step) => renderDecision(run, step, command)).join(''), colors),
    ...steps.map((step) => renderStep(step, colors)),
    renderSection('Outputs', renderValue(run.outputs), colors),
    renderSection('Error', renderFailure(run.error, colors), colors),
    renderSection('Followed by', run.children.map(renderChild).join(''), colors),
    renderSection('Events', renderEventTable(events, now, width === null ? null : width - 2), colors),
  ].join('')
}

function renderHead(run: RunDto, { colors, now }: DescriptionContext): string {
  const ended = run.completed_at !== null
  const message = isObject(run.condition) ? run.condition['message'] : undefined
  const status = run.status + (typeof message === 'string' ? `: ${message}` : '')
  const started = run.started_at ?? run.created_at
  return renderFields(
    [
      ['Run', run.name],
      ['Namespace', run.namespace],
      ['Id', run.run_id],
      ['Blueprint', `${run.blueprint_ref ?? 'a plan of its own'}, at revision ${shortRevision(run.revision)}`],
      ['Status', status],
      ['Started by', `${run.trigger} (${run.actor})`],
      ['Follows from', run.parent === null ? null : `${run.parent.run_id} (${run.parent.kind})`],
      ['Created', `${run.created_at} (${ageOf(run.created_at, now)} ago)`],
      ['Ended', ended ? `${run.completed_at} (after ${tookFrom(started, run.completed_at)})` : null],
      ['Deadline', ended ? null : run.deadline],
      ['Correlation id', run.correlation_id],
    ],
    colors,
  )
}

/** A run that goes on from this one or undoes it; of an undoing, what it cannot undo. */
function renderChild({ name, kind, status, undo, not_undone = [] }: RunDto['children'][number]): string {
  const does = undo === undefined ? 'goes on from here' : `undoes ${undo.length === 0 ? 'nothing' : undo.join(', ')}`
  const left = not_undone.map(
    ({ step, action, reason }) =>
      `  not undone: ${terminalText(`${String(step)} (${String(action)}): ${String(reason)}`)}\n`,
  )
  return `${kind} ${name}: ${status}; ${does}\n${left.join('')}`
}

function renderTimeline(steps: readonly StepDto[], { colors, width }: DescriptionContext): string {
  if (steps.length === 0) return ''
  const columns = [
    { head: 'Step' },
    { head: 'Kind' },
    { head: 'Status' },
    { head: 'Started' },
    { head: 'Took' },
    { head: 'Note', shrinks: true },
  ]
  const rows = steps.map((step) => [
    step.path,
    step.kind,
    step.status,
    step.started_at === null ? '-' : step.started_at.slice(11, 19),
    step.started_at === null ? '-' : tookFrom(step.started_at, step.completed_at),
    noteOf(step),
  ])
  return renderTable(columns, rows, {
    width: width === null ? null : width - 2,
    style: (text, column, isHead) => (!isHead && column === 2 ? colorOfPhase(text, colors) : text),
  })
}

function noteOf(step: StepDto): string {
  const attempt = step.attempt > 1 ? `attempt ${step.attempt}` : ''
  return [attempt, reasonOf(step)].filter((part) => part !== '').join(', ') || '-'
}

function reasonOf(step: StepDto): string {
  if (isObject(step.error)) return String(step.error['message'] ?? step.error['code'] ?? 'failed')
  if (isObject(step.condition)) return String(step.condition['message'] ?? step.condition['reason'] ?? '')
  return step.status === 'created' && step.waits_for.length > 0 ? `after ${step.waits_for.join(', ')}` : ''
}

function isWaitingForPeople(step: StepDto): boolean {
  return step.status === 'running' && isObject(step.condition) && step.condition['reason'] === 'WaitingForApproval'
}

function renderDecision(run: RunDto, step: StepDto, command: RunDescription['command']): string {
  const effect = isObject(step.condition) ? step.condition['effect'] : undefined
  if (isObject(effect)) return renderQuarantine(run, step, effect, command)
  const asked = isObject(step.condition) ? step.condition['input_schema'] : undefined
  const answer = asked === undefined ? '' : ' --input <file>'
  const proposal = isObject(step.condition) ? step.condition['proposal'] : undefined
  return [
    `${step.path}${step.kind === 'gate' ? '' : ` (${step.kind})`}`,
    typeof proposal === 'string'
      ? `  git merge origin/${proposal}, and push: the merge approves it`
      : `  ${command('approve', run.name, step.path)}${answer}`,
    `  ${command('reject', run.name, step.path)}`,
    ...(asked === undefined ? [] : [`  the answer has to fit ${JSON.stringify(asked)}`]),
    '',
  ]
    .map(terminalText)
    .join('\n')
}

/** A tool whose outcome nobody knows: what is known of the call, and the three answers. */
function renderQuarantine(
  run: RunDto,
  step: StepDto,
  effect: Readonly<Record<string, unknown>>,
  command: RunDescription['command'],
): string {
  const answers = [
    [`${command('approve', run.name, step.path)} --retry`, 'it took no effect: call it again'],
    [`${command('approve', run.name, step.path)} --done --input <file>`, 'it took effect: go on with this output'],
    [command('reject', run.name, step.path), 'fail the step'],
  ] as const
  const widest = Math.max(...answers.map(([line]) => line.length))
  return [
    `${step.path} (${step.kind}): ${effect['tool']} was called at ${effect['intended_at']}, and nobody knows whether it took effect`,
    `  operation ${effect['operation_id']}`,
    `  request ${effect['request_digest']}, see the inputs of the step`,
    ...answers.map(([line, meaning]) => `  ${line.padEnd(widest)}  ${meaning}`),
    '',
  ]
    .map(terminalText)
    .join('\n')
}

function renderStep(step: StepDto, colors: Colors): string {
  const parts = [
    labelled('inputs', renderValue(step.inputs), colors),
    labelled('output', renderValue(step.outputs), colors),
    labelled('error', renderFailure(step.error, colors), colors),
  ]
  return renderSection(`Step ${step.path}`, parts.join(''), colors)
}

function labelled(label: string, body: string, colors: Colors): string {
  return body === '' ? '' : `${colors.dim(`${label}:`)}\n${indent(body, 2)}`
}

const BY_CODE = new Map(Object.entries(ERRORS).map(([ref, { code, remedy }]) => [code as string, { ref, remedy }]))

/** The failure of a run or step: the word, the message, and the catalogue's remedy. */
function renderFailure(error: Readonly<Record<string, unknown>> | null, colors: Colors): string {
  if (error === null) return ''
  const code = String(error['code'] ?? 'internal')
  const known = BY_CODE.get(code)
  const lines = [`${colors.red(code)}: ${terminalText(String(error['message'] ?? ''))}`]
  if (known !== undefined) lines.push(`remedy: ${known.remedy} ${colors.dim(`[${known.ref}]`)}`)
  const details = error['details']
  const cause = error['cause']
  const more = renderValue(details)
  if (more !== '') lines.push(`details:\n${indent(more, 2).trimEnd()}`)
  if (isObject(cause)) lines.push(`because:\n${indent(renderFailure(cause, colors), 2).trimEnd()}`)
  return `${lines.join('\n')}\n`
}

/** `350ms`, `1.2s`, `3m12s`; with a `…` while it goes on. */
function tookFrom(start: string, end: string | null): string {
  if (end === null) return '…'
  const ms = Math.max(0, Date.parse(end) - Date.parse(start))
  if (ms < 1000) return `${ms}ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`
  return ageOf(start, new Date(end))
}
