import { fail } from '../lib/error-catalogue.ts'
import { takeToolCall } from '../store/queries/tool-rates.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import type { ToolRunner } from './ports.ts'

export interface RateLimit {
  readonly calls: number
  readonly windowMs: number
}

/** A moment more than the window, for clocks that differ. */
const AFTER_MS = 5

/**
 * The same tools, called no oftener than they say, by all processes together. A call waits for the next window; when its time is
 * over before that, it fails with SW_TOOL_BUSY, and was not made.
 */
export function heedingRateLimits(
  tools: ToolRunner,
  store: Store,
  limitOf: (namespace: string, tool: string) => RateLimit | null,
): ToolRunner {
  return {
    ...tools,
    async run(call, options) {
      const tool = tools.find(call.tool, call.namespace)
      const limit = tool === null ? null : limitOf(call.namespace, tool.name)
      if (limit !== null) {
        const last = store.clock.now().getTime() + tool!.timeoutMs
        const until = Math.min(last, call.deadline?.getTime() ?? last)
        await turn(store, { namespace: call.namespace, tool: tool!.name, ...limit }, { until, signal: options.signal })
      }
      return await tools.run(call, options)
    },
  }
}

async function turn(
  store: Store,
  target: RateLimit & { readonly namespace: string; readonly tool: string },
  { until, signal }: { readonly until: number; readonly signal: AbortSignal },
): Promise<void> {
  for (;;) {
    const at = store.clock.now()
    const next = await transact(store, (tx) => takeToolCall(tx, target, at))
    if (next === null) return
    if (next.getTime() > until)
      throw fail('SW_TOOL_BUSY', `${target.tool} is called ${target.calls} times in its window already`, {
        details: { next_window: next.toISOString() },
      })
    await pause(next.getTime() - at.getTime() + AFTER_MS, signal)
  }
}

/** Throws the signal's reason when it is aborted meanwhile. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(
      () => {
        signal.removeEventListener('abort', stop)
        resolve()
      },
      Math.max(0, ms),
    )
    signal.addEventListener('abort', stop, { once: true })
  })
}
