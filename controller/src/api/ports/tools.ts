import type { ToolCallRow } from '../../store/queries/tool-calls.ts'
import type { Decision } from '../../tools/calls/decide-call.ts'
import type { ToolInvocation } from '../../tools/calls/ports.ts'
import type { WaitFor } from '../../tools/calls/tool-calls.ts'

/** Calls of tools outside of steps. */
export interface ToolVerbs {
  invoke(invocation: ToolInvocation, wait: WaitFor): Promise<ToolCallRow>
  decide(id: string, decision: Decision, wait: WaitFor): Promise<ToolCallRow>
}
