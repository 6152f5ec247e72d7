import type { Condition } from '../../kinds/conditions.ts'
import type { KindRow } from '../../kinds/kind-row.ts'
import { ageOf } from '../../kinds/printer-cell.ts'
import type { ObjectView } from '../../kinds/resource.ts'
import { type Issue, placeOf } from '../../lib/issue.ts'
import { shortRevision } from '../../lib/short-revision.ts'
import type { EventDto } from '../client/dto.ts'
import type { Colors } from '../terminal.ts'
import { renderEventTable } from './event-lines.ts'
import { renderFields, renderSection, renderValue } from './fields.ts'
import { terminalText } from './inline-text.ts'
import { renderTable } from './table.ts'

export interface DescriptionContext {
  readonly now: Date
  readonly width: number | null
  readonly colors: Colors
}

/** Everything about a declared object: what was asked for, how it stands, what is wrong and what happened. */
export function renderObject(
  {
    kind,
    object,
    issues,
    events,
  }: { kind: KindRow; object: ObjectView; issues: readonly Issue[]; events: readonly EventDto[] },
  context: DescriptionContext,
): string {
  const { colors, now } = context
  const { metadata, status } = object
  const { conditions = [], observedGeneration, lastAppliedRevision, lastAttemptedRevision, issues: _, ...rest } = status
  const deleting = metadata.deletionTimestamp
  const fields = renderFields(
    [
      ['Name', metadata.name],
      ['Namespace', metadata.namespace],
      ['Kind', kind.notYetEnforced ? `${kind.kind} (accepted, not enforced yet)` : kind.kind],
      ['Labels', pairs(metadata.labels)],
      ['Annotations', pairs(metadata.annotations)],
      ['Created', `${metadata.creationTimestamp} (${ageOf(metadata.creationTimestamp, now)} ago)`],
      ['Deleting', deleting === undefined ? null : `since ${deleting} (${ageOf(deleting, now)})`],
      ['Generation', generation(metadata.generation, observedGeneration)],
      ['Revision', revision(lastAppliedRevision, lastAttemptedRevision)],
      ['Uid', metadata.uid],
    ],
    colors,
  )
  return [
    fields,
    renderSection('Spec', renderValue(object.spec), colors),
    renderSection('Status', renderValue(rest), colors),
    renderSection('Conditions', renderConditions(conditions, context), colors),
    renderSection('Issues', issues.map((issue) => renderIssue(issue, colors)).join(''), colors),
    renderSection('Events', renderEventTable(events, now, narrower(context.width)), colors),
  ].join('')
}

/** Messages stand whole, however long: this is where people come to read them. */
function renderConditions(conditions: readonly Condition[], { now, colors }: DescriptionContext): string {
  if (conditions.length === 0) return ''
  const columns = [{ head: 'Type' }, { head: 'Status' }, { head: 'Reason' }, { head: 'Age' }, { head: 'Message' }]
  const rows = conditions.map(({ type, status, reason, lastTransitionTime, message }) => [
    type,
    status,
    reason,
    ageOf(lastTransitionTime, now),
    message,
  ])
  return renderTable(columns, rows, {
    width: null,
    style: (text, column, isHead) => (!isHead && column === 0 ? colors.cyan(text) : text),
  })
}

/** A problem with its place, and below it what to do. */
export function renderIssue(issue: Issue, colors: Colors): string {
  const word = issue.severity === 'error' ? colors.red('error') : colors.yellow('warning')
  return `${colors.bold(terminalText(placeOf(issue)))}: ${word}: ${terminalText(issue.message)}\n  remedy: ${terminalText(issue.hint)} ${colors.dim(`[${issue.code}]`)}\n`
}

function pairs(record: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(record ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')
}

function generation(current: number, observed: number | undefined): string {
  return observed === undefined || observed === current ? String(current) : `${current} (observed ${observed})`
}

function revision(applied: string | undefined, attempted: string | undefined): string | null {
  if (applied === undefined)
    return attempted === undefined ? null : `none applied, ${shortRevision(attempted)} attempted`
  return attempted === undefined || attempted === applied
    ? shortRevision(applied)
    : `${shortRevision(applied)}, ${shortRevision(attempted)} attempted`
}

/** Sections are moved in by two. */
function narrower(width: number | null): number | null {
  return width === null ? null : width - 2
}
