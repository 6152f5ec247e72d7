import { isObject } from '../lib/json.ts'
import { spanIdOf, traceIdOf } from '../lib/trace-context.ts'
import type { LoggedEvent } from '../store/ports.ts'
import type { TracedRun, TracedStep, TracedTask } from '../store/queries/traced-runs.ts'
import type { Span } from '../telemetry/otlp/span.ts'

/** What is known around the events that are looked at. */
export interface Around {
  readonly run: (id: string) => TracedRun | null
  readonly step: (runId: string, path: string, attempt: number) => TracedStep | null
  /** The attempt of a step that was the last one to have begun at a time. */
  readonly stepAt: (runId: string, path: string, at: Date) => TracedStep | null
  readonly task: (id: string) => TracedTask | null
  /** The commit that is applied, for what belongs to no run. */
  readonly revision: string | null
}

export function identity(correlationId: string, name: string, parentSpanId: string | null) {
  return { traceId: traceIdOf(correlationId), spanId: spanIdOf(name), parentSpanId }
}

/** The id under which tools know a call of a step, too: what they ask has its span as parent. */
export function operation(runId: string, path: string, attempt: number): string {
  return `${runId}/${path}/${attempt}`
}

export function ofRun(run: TracedRun) {
  return {
    ...revisionOf(run.revision),
    'stateward.namespace': run.namespace,
    'stateward.run.id': run.run_id,
    'stateward.run.name': run.name,
  }
}

export function revisionOf(revision: string | null): Readonly<Record<string, string>> {
  return revision === null ? {} : { 'vcs.ref.head.revision': revision }
}

/** An event tells the end of what took `lasted` milliseconds. */
export function times(event: LoggedEvent, lasted: string): { readonly start: Date; readonly end: Date } {
  const end = new Date(event.occurred_at)
  return { start: new Date(end.getTime() - Number(event.data[lasted] ?? 0)), end }
}

export function errorOf({ event_name: name, data }: LoggedEvent): Span['error'] {
  if (name.endsWith('.completed')) return null
  const error = isObject(data['error']) ? data['error'] : data
  const type = error['code'] ?? error['cause'] ?? (name.endsWith('.cancelled') ? 'cancelled' : '_OTHER')
  return { type: String(type), message: String(error['message'] ?? error['problem'] ?? '').slice(0, 1000) }
}

export function optional(name: string, value: unknown): Readonly<Record<string, string | number>> {
  return typeof value === 'string' || typeof value === 'number' ? { [name]: value } : {}
}

export function textOf({ data }: LoggedEvent, name: string): string {
  const value = data[name]
  return typeof value === 'string' ? value : ''
}
