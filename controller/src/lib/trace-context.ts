import { sha256 } from './digest.ts'

/**
 * W3C trace context that follows from ids which are there anyway: whoever knows the correlation id and the operation comes to
 * the same trace and span, in any process, also after a crash. A `traceparent` that came in is a correlation id itself.
 */

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/

export interface TraceParent {
  readonly traceId: string
  readonly spanId: string
}

/** Null for what is none, or says nothing (all zeros). */
export function parseTraceparent(text: string): TraceParent | null {
  const [, traceId = '', spanId = ''] = TRACEPARENT.exec(text) ?? []
  return traceId === '' || /^0+$/.test(traceId) || /^0+$/.test(spanId) ? null : { traceId, spanId }
}

/** The trace of everything with this correlation id. */
export function traceIdOf(correlationId: string): string {
  const given = parseTraceparent(correlationId)
  if (given !== null) return given.traceId
  const hex = correlationId.replaceAll('-', '')
  return /^[0-9a-f]{32}$/.test(hex) && !/^0+$/.test(hex) ? hex : sha256(correlationId).slice(0, 32)
}

/** The span of an operation: `<run>/<step path>/<attempt>`, the id of a run, of a call. */
export function spanIdOf(operation: string): string {
  return sha256(operation).slice(0, 16)
}

/** The header for a request that an operation makes. */
export function traceparentOf(correlationId: string, operation: string): string {
  return `00-${traceIdOf(correlationId)}-${spanIdOf(operation)}-01`
}
