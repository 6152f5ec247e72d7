import { traceparentOf } from '../../lib/trace-context.ts'

/** What a program may inherit from the controller; everything else stays out. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR'] as const

export interface CallIdentity {
  readonly workspace: string
  readonly operationId: string
  readonly correlationId: string
}

/** The environment of a tool's program: the allow-list, what was declared, and who it works for. */
export function programEnvironment(
  inherited: Readonly<Record<string, string | undefined>>,
  declared: Readonly<Record<string, string>>,
  call: CallIdentity,
): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const name of INHERITED) if (inherited[name] !== undefined) environment[name] = inherited[name]
  return {
    ...environment,
    ...declared,
    STATEWARD_WORKSPACE: call.workspace,
    STATEWARD_OPERATION_ID: call.operationId,
    STATEWARD_CORRELATION_ID: call.correlationId,
    // Programs that trace what they do go on with this one.
    TRACEPARENT: traceparentOf(call.correlationId, call.operationId),
  }
}
