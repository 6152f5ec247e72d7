import { fail } from '../../lib/error-catalogue.ts'
import { followAbort } from '../../lib/following-abort.ts'
import type { Json } from '../../lib/json.ts'
import type { ToolCall } from '../ports.ts'
import type { StepContext } from './handler.ts'

/** How long a tool may take to end after it was told to; then its outcome counts as the reason it was told to. */
const GRACE_MS = 5000

export interface CallRequest {
  readonly call: Omit<ToolCall, 'workspace'>
  readonly runId: string
  /** Whether the tool reads or writes the run's folder. */
  readonly usesWorkspace: boolean
  readonly step: string
  readonly attempt: number
  /** Aborted when the run is cancelled or the process stops; the reason is the error of the step. */
  readonly signal: AbortSignal
}

/**
 * One call of a tool, with its deadline. Resolves with the output or with the error; never rejects. An output that comes
 * after the abort but within the grace counts: what happened is recorded, not what was wanted.
 */
export async function callTool(
  context: StepContext,
  request: CallRequest,
): Promise<{ readonly output: Json } | { readonly error: unknown }> {
  const { call } = request
  const stop = followAbort(request.signal)
  const left = call.deadline === null ? null : Math.max(0, call.deadline.getTime() - context.clock.now().getTime())
  // A timer takes at most 2^31 - 1 ms; a step that may run longer than 24 days has no deadline worth a timer.
  const timer =
    left === null || left > 2 ** 31 - 1
      ? undefined
      : setTimeout(() => stop.abort(fail('SW_STEP_TIMEOUT', `step ${request.step} did not end in time`)), left)
  const overrun = overrunOf(stop.signal)
  try {
    const run = async (): Promise<Json> => {
      const workspace = await context.folders.workspace(request.runId, request.usesWorkspace)
      stop.signal.throwIfAborted()
      const options = { signal: stop.signal, log: (line: string) => log(context, request, line) }
      return context.tools.run({ ...call, workspace }, options)
    }
    return { output: await Promise.race([run(), overrun.passed]) }
  } catch (error) {
    log(context, request, `failed: ${error instanceof Error ? error.message : String(error)}`)
    return { error: stop.signal.aborted ? stop.signal.reason : error }
  } finally {
    overrun.end()
    stop.end()
    clearTimeout(timer)
  }
}

/** `passed` rejects when the tool has not ended some time after it was told to stop. */
function overrunOf(stop: AbortSignal): { readonly passed: Promise<never>; readonly end: () => void } {
  const { promise, reject } = Promise.withResolvers<never>()
  let timer: NodeJS.Timeout | undefined
  const wait = (): void => {
    timer = setTimeout(() => reject(stop.reason), GRACE_MS)
  }
  if (stop.aborted) wait()
  else stop.addEventListener('abort', wait, { once: true })
  return {
    passed: promise,
    end() {
      stop.removeEventListener('abort', wait)
      clearTimeout(timer)
    },
  }
}

function log(context: StepContext, request: CallRequest, line: string): void {
  context.folders.log(request.runId, {
    time: context.clock.now().toISOString(),
    step: request.step,
    attempt: request.attempt,
    line,
  })
}
