import type { EventName } from '../../events/catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import type { NewEvent } from '../../store/ports.ts'
import type { NewToolCall, ToolCallRow } from '../../store/queries/tool-calls.ts'

type Verb = 'started' | 'held' | 'refused' | 'approved' | 'completed' | 'failed' | 'quarantined'

export interface EventScope {
  readonly envId: string
  readonly at: Date
  readonly actor?: string
}

export function toolEvent(verb: Verb, call: NewToolCall, scope: EventScope, more: JsonObject = {}): NewEvent {
  const { id, operation_id, tool, namespace, agent, task_id, step, risk, side_effects, request_digest } = call
  return {
    event_id: uuidv7(scope.at.getTime()),
    event_name: `stateward.tool.${verb}` satisfies EventName,
    occurred_at: scope.at,
    env_id: scope.envId,
    actor: scope.actor ?? call.actor,
    correlation_id: call.correlation_id,
    ...(call.run_id === null ? {} : { run_id: call.run_id }),
    data: {
      call_id: id,
      operation_id,
      tool,
      namespace,
      agent,
      task_id,
      step,
      risk,
      side_effects,
      request_digest,
      ...more,
    },
  }
}

const MAX_TOLD = 1000

function said(error: JsonObject | null): { readonly code: string; readonly message: string } {
  const { code, message } = isObject(error) ? error : { code: 'internal', message: '' }
  return { code: String(code), message: String(message).slice(0, MAX_TOLD) }
}

/** What the log tells of a new call. */
export function callEvent(call: NewToolCall, envId: string, at: Date): NewEvent {
  const scope = { envId, at }
  if (call.state === 'running') return toolEvent('started', call, scope)
  if (call.state === 'refused') return toolEvent('refused', call, scope, said(call.error))
  const [by = '', ...reason] = (call.asked_by ?? '').split(': ')
  return toolEvent('held', call, scope, { by, reason: reason.join(': ') })
}

/** What the log tells of the end of a call. */
export function endEvent(row: ToolCallRow, envId: string, at: Date, actor?: string): NewEvent {
  const scope = { envId, at, ...(actor === undefined ? {} : { actor }) }
  const duration = { duration_ms: Math.max(0, at.getTime() - (row.begun_at ?? row.created_at).getTime()) }
  switch (row.state) {
    case 'succeeded':
      return toolEvent('completed', row, scope, duration)
    case 'refused':
      return toolEvent('refused', row, scope, said(row.error))
    case 'unknown':
      return toolEvent('quarantined', row, scope)
    default:
      return toolEvent('failed', row, scope, { ...said(row.error), ...duration })
  }
}
