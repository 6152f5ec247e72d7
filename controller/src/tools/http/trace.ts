import { sha256 } from '../../lib/digest.ts'

/**
 * The W3C `traceparent` of an outgoing request. All that belongs to one correlation id is one trace, so servers that know the
 * header show the requests of a run together; the parent is the call.
 */
export function traceparent(correlationId: string, operationId: string): string {
  const given = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(correlationId)?.[1]
  const hex = correlationId.replaceAll('-', '')
  const own = /^[0-9a-f]{32}$/.test(hex) && !/^0+$/.test(hex) ? hex : sha256(correlationId).slice(0, 32)
  return `00-${given ?? own}-${sha256(operationId).slice(0, 16)}-01`
}
