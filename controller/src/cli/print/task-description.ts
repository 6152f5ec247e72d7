import { ageOf } from '../../kinds/printer-cell.ts'
import { msBetween, tookText } from '../../lib/took.ts'
import type { EventDto, TaskDto } from '../client/dto.ts'
import { renderEventTable } from './event-lines.ts'
import { renderFields, renderSection, renderValue } from './fields.ts'
import type { DescriptionContext } from './object-description.ts'
import { renderFailure } from './run-failure.ts'
import { renderTable } from './table.ts'

/** A task as a person asks about it: where it is and who has it, what was asked, what came of it and of its parts. */
export function renderTask(
  { task, events }: { readonly task: TaskDto; readonly events: readonly EventDto[] },
  context: DescriptionContext,
): string {
  const { colors, now, width } = context
  const inner = width === null ? null : width - 2
  return [
    renderHead(task, context),
    renderSection('Error', renderFailure(task.error === null ? null : { ...task.error }, colors), colors),
    renderSection('Prompt', `${task.prompt}\n`, colors),
    renderSection('Inputs', renderValue(task.inputs), colors),
    renderSection('Output', renderValue(task.output), colors),
    renderSection('Parts', renderParts(task, inner), colors),
    renderSection('Events', renderEventTable(events, now, inner), colors),
  ].join('')
}

function renderHead(task: TaskDto, { colors, now }: DescriptionContext): string {
  const { progress, usage } = task
  const took =
    task.leased_at === null || task.completed_at === null ? null : msBetween(task.leased_at, task.completed_at)
  return renderFields(
    [
      ['Task', task.task_id],
      ['Namespace', task.namespace],
      ['Agent', task.agent],
      ['Status', task.status],
      ['Attempt', `${task.attempt} of ${task.max_attempts}`],
      ['Instance', task.instance_id],
      ['Run', task.run_id === null ? null : `${task.run_id}, step ${task.path}`],
      ['Part of', task.parent_task_id],
      ['Again after', task.retry_of],
      [
        'Parts',
        progress === null ? null : `${progress.done} of ${progress.total} ended, ${progress.failed} of them badly`,
      ],
      ['Asked by', task.created_by],
      ['Asked', `${task.created_at} (${ageOf(task.created_at, now)} ago)`],
      ['Not before', task.not_before],
      ['Deadline', task.deadline],
      ['Took', took === null ? null : tookText(took)],
      [
        'Used',
        usage.tokens === 0 && usage.cost_usd === '0.00' ? null : `${usage.tokens} tokens, ${usage.cost_usd} USD`,
      ],
    ],
    colors,
  )
}

function renderParts({ parts }: TaskDto, width: number | null): string {
  if (parts.length === 0) return ''
  const columns = [{ head: 'Task' }, { head: 'Agent' }, { head: 'Status' }, { head: 'Result', shrinks: true }]
  const rows = parts.map(({ task_id, agent, status, output, error }) => [
    task_id,
    agent,
    status,
    error === null ? (output === null ? '' : JSON.stringify(output)) : `${error.code}: ${error.message}`,
  ])
  return renderTable(columns, rows, { width })
}
