import { ageOf } from '../../kinds/printer-cell.ts'
import { isObject } from '../../lib/json.ts'
import { msBetween, sizeText, tookText } from '../../lib/took.ts'
import type { ArtifactDto, EventDto, GateDto, RunDto, StepDto } from '../client/dto.ts'
import type { Colors } from '../terminal.ts'
import { indent, renderFields, renderSection, renderValue } from './fields.ts'
import { terminalText } from './inline-text.ts'
import type { DescriptionContext } from './object-description.ts'
import { renderFailure } from './run-failure.ts'
import { renderDecided, renderOpenGates } from './run-gates.ts'
import { createHistory } from './run-history.ts'
import { renderTimeline, type ShownStep, shownSteps } from './run-timeline.ts'
import { renderTable } from './table.ts'

export interface RunDescription {
  readonly run: RunDto
  /** All attempts, in the order of the plan. */
  readonly steps: readonly StepDto[]
  readonly gates: readonly GateDto[]
  readonly artifacts: readonly ArtifactDto[]
  readonly events: readonly EventDto[]
  /** A command of this program, ready to be copied. */
  readonly command: (...words: string[]) => string
}

/**
 * A run as a person asks about it: where it is, why it failed, what it waits for and how to go on; then its timeline, and
 * each step with what went in and out.
 */
export function renderRun(description: RunDescription, context: DescriptionContext): string {
  const { run, steps, gates, artifacts, command } = description
  const { colors, width } = context
  const inner = { ...context, width: width === null ? null : width - 2 }
  const shown = shownSteps(steps)
  return [
    renderHead(run, context),
    renderSection('Error', renderFailure(run.error, colors), colors),
    renderSection('Followed by', run.children.map(renderChild).join(''), colors),
    renderSection('Waits for a decision', renderOpenGates({ gates, steps, command }, context), colors),
    renderSection('Inputs', renderValue(run.inputs), colors),
    renderSection('Steps', renderTimeline(shown, run, inner), colors),
    renderSection('Decisions', renderDecided(gates, inner), colors),
    ...shown.map((step) => renderStep(step, colors)),
    renderSection('Outputs', renderValue(run.outputs), colors),
    renderSection('Artifacts', renderArtifacts(artifacts, inner.width), colors),
    renderSection('Latest events', renderLatest(description, context), colors),
  ].join('')
}

function renderHead(run: RunDto, { colors, now }: DescriptionContext): string {
  const message = isObject(run.condition) ? run.condition['message'] : undefined
  const status = run.status + (typeof message === 'string' ? `: ${message}` : '')
  const started = run.started_at ?? run.created_at
  return renderFields(
    [
      ['Run', run.name],
      ['Namespace', run.namespace],
      ['Id', run.run_id],
      ['Blueprint', run.blueprint_ref ?? 'a plan of its own'],
      ['Commit', run.revision],
      ['Plan', run.plan_digest],
      ['Status', status],
      ['Started by', `${run.trigger} (${run.actor})`],
      ['Follows from', run.parent === null ? null : `${run.parent.run_id} (${run.parent.kind})`],
      ['Priority', run.priority === 0 ? null : String(run.priority)],
      ['Created', `${run.created_at} (${ageOf(run.created_at, now)} ago)`],
      [
        'Ended',
        run.completed_at === null
          ? null
          : `${run.completed_at} (after ${tookText(msBetween(started, run.completed_at))})`,
      ],
      ['Deadline', run.completed_at === null ? run.deadline : null],
      ['Correlation', run.correlation_id],
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

function renderStep({ step, attempts }: ShownStep, colors: Colors): string {
  const failed = attempts.flatMap((attempt) =>
    attempt.error === null ? [] : labelled(`attempt ${attempt.attempt}`, renderFailure(attempt.error, colors), colors),
  )
  const parts = [
    labelled('inputs', renderValue(step.inputs), colors),
    ...failed,
    labelled('output', renderValue(step.output), colors),
    labelled('error', renderFailure(step.error, colors), colors),
  ]
  return renderSection(`Step ${step.path}`, parts.join(''), colors)
}

function labelled(label: string, body: string, colors: Colors): string {
  return body === '' ? '' : `${colors.dim(`${label}:`)}\n${indent(body, 2)}`
}

function renderArtifacts(artifacts: readonly ArtifactDto[], width: number | null): string {
  if (artifacts.length === 0) return ''
  const columns = [{ head: 'Name', shrinks: true }, { head: 'Kind' }, { head: 'Size' }, { head: 'Id' }]
  const rows = artifacts.map((item) => [
    item.name,
    item.kind,
    item.sha256 === null ? 'not here yet' : sizeText(item.byte_length ?? 0),
    item.artifact_id,
  ])
  return renderTable(columns, rows, { width })
}

/** The words of the newest events, with the time since the run began; why something failed stands above. */
function renderLatest({ run, events, command }: RunDescription, { colors }: DescriptionContext): string {
  if (events.length === 0) return ''
  const start = run.started_at ?? run.created_at
  const time = (event: EventDto) => `+${tookText(msBetween(start, event.occurred_at))}`.padStart(7)
  const history = createHistory({ colors, time, values: false, failures: false })
  return `${events.map((event) => history(event)).join('')}${colors.dim(`all of them: ${command('replay', run.name)}`)}\n`
}
