import { isObject } from '../lib/json.ts'
import { parseTraceparent, spanIdOf, traceIdOf } from '../lib/trace-context.ts'
import type { LoggedEvent } from '../store/ports.ts'
import type { TracedRun, TracedStep } from '../store/queries/traced-runs.ts'
import type { Measurement, Span } from '../telemetry/otlp/span.ts'

/** What is known around the events that are looked at. */
export interface Around {
  readonly run: (id: string) => TracedRun | null
  readonly step: (runId: string, path: string, attempt: number | null) => TracedStep | null
  /** The commit that is applied, for what belongs to no run. */
  readonly revision: string | null
}

/** Ends of runs, of attempts of steps, of calls of tools and models. */
export const TRACED_EVENTS = [
  'stateward.run.completed',
  'stateward.run.failed',
  'stateward.run.cancelled',
  'stateward.run.step.completed',
  'stateward.run.step.failed',
  'stateward.run.step.retried',
  'stateward.tool.completed',
  'stateward.tool.failed',
  'stateward.model.call.completed',
  'stateward.model.call.failed',
] as const

/** The span that ended with an event, by the names of the semantic conventions for generative AI. Pure. */
export function spanOf(event: LoggedEvent, around: Around): Span | null {
  if (event.event_name.startsWith('stateward.run.step.')) return stepSpan(event, around)
  if (event.event_name.startsWith('stateward.run.')) return runSpan(event, around)
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

function toolSpan(event: LoggedEvent, around: Around): Span {
  const id = textOf(event, 'call_id')
  const tool = textOf(event, 'tool')
  return {
    ...identity(event.correlation_id, id, parseTraceparent(event.correlation_id)?.spanId ?? null),
    name: `execute_tool ${tool}`,
    kind: 'internal',
    ...times(event, 'duration_ms'),
    error: errorOf(event),
    attributes: {
      ...revisionOf(around.revision),
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': tool,
      'gen_ai.tool.call.id': id,
      'stateward.namespace': textOf(event, 'namespace'),
      ...optional('gen_ai.agent.name', event.data['agent']),
    },
  }
}

function modelSpan(event: LoggedEvent, around: Around): Span {
  const { data, run_id: runId } = event
  const run = runId === null ? null : around.run(runId)
  const path = typeof data['step'] === 'string' ? data['step'] : null
  const step = runId === null || path === null ? null : around.step(runId, path, null)
  const correlation = run?.correlation_id ?? event.correlation_id
  const parent =
    runId === null
      ? (parseTraceparent(correlation)?.spanId ?? null)
      : spanIdOf(path === null ? runId : operation(runId, path, step?.attempt ?? 1))
  const model = textOf(event, 'model_asked')
  return {
    ...identity(correlation, textOf(event, 'call_id'), parent),
    name: `chat ${model}`,
    kind: 'client',
    ...times(event, 'latency_ms'),
    error: errorOf(event),
    attributes: {
      ...(run === null ? revisionOf(around.revision) : ofRun(run)),
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': textOf(event, 'provider_type'),
      'gen_ai.request.model': model,
      'stateward.model.provider': textOf(event, 'provider'),
      'stateward.cost_usd': textOf(event, 'cost_usd'),
      ...optional('gen_ai.response.model', data['model_answered']),
      ...optional('gen_ai.usage.input_tokens', data['input_tokens']),
      ...optional('gen_ai.usage.output_tokens', data['output_tokens']),
      ...optional('gen_ai.agent.name', data['agent']),
      ...optional('gen_ai.conversation.id', data['task_id']),
      ...(typeof data['finish_reason'] === 'string'
        ? { 'gen_ai.response.finish_reasons': [data['finish_reason']] }
        : {}),
    },
  }
}

/** What a call of a model adds to the histograms. Pure. */
export function measurementsOf({ event_name: name, data }: LoggedEvent): Measurement[] {
  if (!name.startsWith('stateward.model.call.')) return []
  const attributes = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': String(data['provider_type']),
    'gen_ai.request.model': String(data['model_asked']),
    ...(typeof data['model_answered'] === 'string' ? { 'gen_ai.response.model': data['model_answered'] } : {}),
  }
  const failed = name.endsWith('.failed') ? { 'error.type': String(data['cause'] ?? '_OTHER') } : {}
  const found: Measurement[] = []
  if (typeof data['latency_ms'] === 'number')
    found.push({
      metric: 'gen_ai.client.operation.duration',
      value: data['latency_ms'] / 1000,
      attributes: { ...attributes, ...failed },
    })
  for (const type of ['input', 'output'] as const) {
    const tokens = data[`${type}_tokens`]
    if (typeof tokens !== 'number') continue
    const of = { ...attributes, 'gen_ai.token.type': type }
    found.push({ metric: 'gen_ai.client.token.usage', value: tokens, attributes: of })
  }
  return found
}

function identity(correlationId: string, name: string, parentSpanId: string | null) {
  return { traceId: traceIdOf(correlationId), spanId: spanIdOf(name), parentSpanId }
}

/** The id under which tools know a call of a step, too: what they ask has its span as parent. */
function operation(runId: string, path: string, attempt: number): string {
  return `${runId}/${path}/${attempt}`
}

function ofRun(run: TracedRun) {
  return {
    ...revisionOf(run.revision),
    'stateward.namespace': run.namespace,
    'stateward.run.id': run.run_id,
    'stateward.run.name': run.name,
  }
}

function revisionOf(revision: string | null): Readonly<Record<string, string>> {
  return revision === null ? {} : { 'vcs.ref.head.revision': revision }
}

function times(event: LoggedEvent, lasted: string): { readonly start: Date; readonly end: Date } {
  const end = new Date(event.occurred_at)
  return { start: new Date(end.getTime() - Number(event.data[lasted] ?? 0)), end }
}

function errorOf({ event_name: name, data }: LoggedEvent): Span['error'] {
  if (name.endsWith('.completed')) return null
  const error = isObject(data['error']) ? data['error'] : data
  const type = error['code'] ?? error['cause'] ?? (name.endsWith('.cancelled') ? 'cancelled' : '_OTHER')
  return { type: String(type), message: String(error['message'] ?? error['problem'] ?? '').slice(0, 1000) }
}

function optional(name: string, value: unknown): Readonly<Record<string, string | number>> {
  return typeof value === 'string' || typeof value === 'number' ? { [name]: value } : {}
}

function textOf({ data }: LoggedEvent, name: string): string {
  const value = data[name]
  return typeof value === 'string' ? value : ''
}
