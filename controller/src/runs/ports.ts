import type { Json, JsonObject } from '../lib/json.ts'

/** What a run asks of the tool registry. `operationId` is the idempotency key: `<run>/<step path>/<attempt>`. */
export interface ToolCall {
  readonly tool: string
  /** Rendered parameters; shell parameters come as {@link ShellText}. */
  readonly with: JsonObject
  readonly namespace: string
  readonly operationId: string
  readonly correlationId: string
  /** The folder the call may read and write. */
  readonly workspace: string
  readonly deadline: Date | null
}

export interface ToolInfo {
  readonly name: string
  /** Repeating it is harmless: an unknown outcome after a crash may be tried again. */
  readonly idempotent: boolean
  readonly inputSchema: JsonObject
  readonly timeoutMs: number
}

/** The tool registry as the run engine sees it. A failed call throws a StatewardError (SW_TOOL_FAILED, SW_STEP_TIMEOUT …). */
export interface ToolRunner {
  /** By name or alias in a namespace; null when there is none. */
  find(name: string, namespace: string): ToolInfo | null
  run(call: ToolCall, options: { readonly signal: AbortSignal; readonly log: (line: string) => void }): Promise<Json>
}

/** Error of a step, as data. */
export interface StepError {
  readonly code: string
  readonly category: 'validation' | 'tool' | 'agent' | 'gate' | 'timeout' | 'cancelled' | 'internal'
  readonly message: string
  readonly retryable: boolean
  readonly cause?: StepError
  readonly details?: JsonObject
}
