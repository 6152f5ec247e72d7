import { setTimeout as delay } from 'node:timers/promises'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json } from '../../lib/json.ts'
import type { ToolCall } from '../ports.ts'
import type { StepContext } from './handler.ts'

/** How long a tool may take to end after it was told to; then its outcome counts as the reason it was told to. */
const GRACE_MS = 5000

export interface CallRequest {
  readonly call: Omit<ToolCall, 'workspace'>
  readonly runId: string
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
  const { call, signal } = request
  const timeout = new AbortController()
  const left = call.deadline === null ? null : Math.max(0, call.deadline.getTime() - context.clock.now().getTime())
  // A timer takes at most 2^31 - 1 ms; a step that may run longer than 24 days has no deadline worth a timer.
  const timer =
    left === null || left > 2 ** 31 - 1
      ? null
      : setTimeout(() => timeout.abort(fail('SW_STEP_TIMEOUT', `step ${request.step} did not end in time`)), left)
  const stop = AbortSignal.any([signal, timeout.signal])
  const settled = new AbortController()
  try {
    const run = async (): Promise<Json> => {
      const workspace = await context.folders.workspace(request.runId)
      stop.throwIfAborted()
      return context.tools.run({ ...call, workspace }, { signal: stop, log: (line) => log(context, request, line) })
    }
    return { output: await Promise.race([run(), overrun(stop, settled.signal)]) }
  } catch (error) {
    log(context, request, `failed: ${error instanceof Error ? error.message : String(error)}`)
    return { error: stop.aborted ? stop.reason : error }
  } finally {
    settled.abort()
    if (timer !== null) clearTimeout(timer)
  }
}

/** Rejects when the tool has not ended some time after it was told to stop. */
async function overrun(stop: AbortSignal, settled: AbortSignal): Promise<never> {
  if (!stop.aborted)
    await new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }))
  await delay(GRACE_MS, undefined, { signal: settled }).catch(() => undefined)
  throw stop.reason
}

function log(context: StepContext, request: CallRequest, line: string): void {
  context.folders.log(request.runId, {
    time: context.clock.now().toISOString(),
    step: request.step,
    attempt: request.attempt,
    line,
  })
}
