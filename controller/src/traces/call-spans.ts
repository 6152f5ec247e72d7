import { parseTraceparent, spanIdOf } from '../lib/trace-context.ts'
import type { LoggedEvent } from '../store/ports.ts'
import type { Measurement, Span } from '../telemetry/otlp/span.ts'
import { type Around, errorOf, identity, ofRun, operation, optional, revisionOf, textOf, times } from './span-parts.ts'

/** The span of a call of a tool that is no step by itself. Pure. */
export function toolSpan(event: LoggedEvent, around: Around): Span {
  const { data } = event
  const [id, tool] = [textOf(event, 'call_id'), textOf(event, 'tool')]
  const { run, correlationId, parentSpanId, start, end } = placeOf(event, around, 'duration_ms')
  return {
    ...identity(correlationId, typeof data['operation_id'] === 'string' ? data['operation_id'] : id, parentSpanId),
    name: `execute_tool ${tool}`,
    kind: 'internal',
    start,
    end,
    error: errorOf(event),
    attributes: {
      ...(run === null
        ? { ...revisionOf(around.revision), 'stateward.namespace': textOf(event, 'namespace') }
        : ofRun(run)),
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': tool,
      'gen_ai.tool.call.id': id,
      ...optional('gen_ai.agent.name', data['agent']),
      ...optional('gen_ai.conversation.id', data['task_id']),
    },
  }
}

/** The span of a call of a model. Pure. */
export function modelSpan(event: LoggedEvent, around: Around): Span {
  const { data } = event
  const { run, correlationId, parentSpanId, start, end } = placeOf(event, around, 'latency_ms')
  const model = textOf(event, 'model_asked')
  return {
    ...identity(correlationId, textOf(event, 'call_id'), parentSpanId),
    name: `chat ${model}`,
    kind: 'client',
    start,
    end,
    error: errorOf(event),
    attributes: {
      ...(run === null
        ? { ...revisionOf(around.revision), ...optional('stateward.namespace', event.env_id) }
        : ofRun(run)),
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
export function measurementsOf({ event_name: name, data, run_id: runId }: LoggedEvent, around: Around): Measurement[] {
  if (!name.startsWith('stateward.model.call.')) return []
  const attributes = {
    ...revisionOf((runId === null ? null : around.run(runId)?.revision) ?? around.revision),
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

/** When a call was made, in which trace, and below what: the step it was for, else the run, the task, whoever asked. */
function placeOf(event: LoggedEvent, around: Around, lasted: string) {
  const { data, run_id: runId } = event
  const { start, end } = times(event, lasted)
  const run = runId === null ? null : around.run(runId)
  const correlationId = run?.correlation_id ?? event.correlation_id
  return { run, correlationId, parentSpanId: parentOf(), start, end }

  function parentOf(): string | null {
    const path = data['step']
    if (runId !== null && typeof path === 'string')
      return spanIdOf(operation(runId, path, around.stepAt(runId, path, start)?.attempt ?? 1))
    if (runId !== null) return spanIdOf(runId)
    if (typeof data['task_id'] === 'string') return spanIdOf(data['task_id'])
    return parseTraceparent(correlationId)?.spanId ?? null
  }
}
