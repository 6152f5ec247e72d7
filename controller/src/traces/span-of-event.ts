import { parseTraceparent, spanIdOf } from '../lib/trace-context.ts'
import type { LoggedEvent } from '../store/ports.ts'
import type { TracedStep } from '../store/queries/traced-runs.ts'
import type { Span } from '../telemetry/otlp/span.ts'
import { modelSpan, toolSpan } from './call-spans.ts'
import { type Around, errorOf, identity, ofRun, operation, revisionOf, textOf } from './span-parts.ts'

/** Ends of runs, of attempts of steps, of tasks, of calls of tools and models. */
export const TRACED_EVENTS = [
  'stateward.run.completed',
  'stateward.run.failed',
  'stateward.run.cancelled',
  'stateward.run.step.completed',
  'stateward.run.step.failed',
  'stateward.run.step.retried',
  'stateward.task.completed',
  'stateward.task.failed',
  'stateward.task.cancelled',
  'stateward.tool.completed',
  'stateward.tool.failed',
  'stateward.model.call.completed',
  'stateward.model.call.failed',
] as const

/** The span that ended with an event, by the names of the semantic conventions for generative AI. Pure. */
export function spanOf(event: LoggedEvent, around: Around): Span | null {
  if (event.event_name.startsWith('stateward.run.step.')) return stepSpan(event, around)
  if (event.event_name.startsWith('stateward.run.')) return runSpan(event, around)
  if (event.event_name.startsWith('stateward.task.')) return taskSpan(event, around)
  if (event.event_name.startsWith('stateward.model.')) return modelSpan(event, around)
  return toolSpan(event, around)
}

function runSpan(event: LoggedEvent, around: Around): Span | null {
  const run = event.run_id === null ? null : around.run(event.run_id)
  if (run === null) return null
  return {
    ...identity(run.correlation_id, run.run_id, parseTraceparent(run.correlation_id)?.spanId ?? null),
    name: `invoke_workflow ${run.blueprint}`.trim(),
    kind: 'internal',
    start: run.started_at ?? run.created_at,
    end: new Date(event.occurred_at),
    error: errorOf(event),
    attributes: {
      ...ofRun(run),
      'gen_ai.operation.name': 'invoke_workflow',
      'gen_ai.workflow.name': run.blueprint,
      'stateward.trigger': run.trigger,
    },
  }
}

function stepSpan(event: LoggedEvent, around: Around): Span | null {
  const run = event.run_id === null ? null : around.run(event.run_id)
  if (run === null) return null
  const [path, kind] = [textOf(event, 'step'), textOf(event, 'kind')]
  const attempt = Number(event.data['attempt'] ?? 1)
  const row = around.step(run.run_id, path, attempt)
  const begun = event.data['started_at']
  const end = new Date(event.occurred_at)
  const inside = path.includes('.') ? path.slice(0, path.lastIndexOf('.')).replace(/\[\d+\]$/, '') : null
  return {
    ...identity(
      run.correlation_id,
      operation(run.run_id, path, attempt),
      spanIdOf(inside === null ? run.run_id : operation(run.run_id, inside, 1)),
    ),
    ...work(kind, row, path),
    kind: 'internal',
    start: typeof begun === 'string' ? new Date(begun) : (row?.started_at ?? end),
    end,
    error: errorOf(event),
    attributes: {
      ...ofRun(run),
      ...work(kind, row, path).attributes,
      'stateward.step.path': path,
      'stateward.step.kind': kind,
      'stateward.step.attempt': attempt,
    },
  }
}

/** The name of a span, and what says which tool or agent it was. */
function work(kind: string, row: TracedStep | null, path: string) {
  if (kind === 'action_task' && typeof row?.tool === 'string')
    return {
      name: `execute_tool ${row.tool}`,
      attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': row.tool },
    }
  if (kind === 'agent_task' && typeof row?.agent === 'string')
    return {
      name: `invoke_agent ${row.agent}`,
      attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': row.agent },
    }
  return { name: `${kind} ${path}`, attributes: {} }
}

/** The span of a task that belongs to no step, with the time it was queued: each attempt is in it. */
function taskSpan(event: LoggedEvent, around: Around): Span | null {
  const id = textOf(event, 'task_id')
  const task = around.task(id)
  if (event.run_id !== null || task === null) return null
  const { parent_task: parent } = task
  return {
    ...identity(
      event.correlation_id,
      id,
      parent === null ? (parseTraceparent(event.correlation_id)?.spanId ?? null) : spanIdOf(parent),
    ),
    name: `invoke_agent ${task.agent}`,
    kind: 'internal',
    start: task.created_at,
    end: new Date(event.occurred_at),
    error: errorOf(event),
    attributes: {
      ...revisionOf(around.revision),
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': task.agent,
      'gen_ai.conversation.id': id,
      'stateward.namespace': textOf(event, 'namespace'),
      'stateward.task.attempt': task.attempt,
    },
  }
}
