/** Limits a minute, over the calls of the last 60 seconds. Pure. */

export const WINDOW_MS = 60_000

export interface WindowLimits {
  readonly requestsPerMinute?: number
  readonly tokensPerMinute?: number
}

export interface WindowCall {
  readonly started_at: Date
  readonly tokens: number
}

/** Whether a call of so many tokens may go, by the sums of the window alone: what `waitFor` finds out without them. */
export function hasRoom(
  limits: WindowLimits,
  sums: { readonly calls: number; readonly tokens: number },
  tokens: number,
): boolean {
  const { requestsPerMinute, tokensPerMinute } = limits
  if (requestsPerMinute !== undefined && sums.calls >= requestsPerMinute) return false
  return tokensPerMinute === undefined || sums.tokens + tokens <= tokensPerMinute
}

/**
 * How long a call has to wait, in milliseconds; 0 = it may go. `calls`: those of the window, the oldest first. A call that
 * alone is larger than the limit goes when the window is empty: waiting would never help.
 */
export function waitFor(limits: WindowLimits, calls: readonly WindowCall[], tokens: number, now: Date): number {
  const until = (call: WindowCall): number => Math.max(1, call.started_at.getTime() + WINDOW_MS - now.getTime())
  let wait = 0
  const most = limits.requestsPerMinute
  if (most !== undefined && calls.length >= most) wait = until(calls[calls.length - most]!)
  if (limits.tokensPerMinute !== undefined) {
    let used = calls.reduce((sum, call) => sum + call.tokens, 0)
    for (const call of calls) {
      if (used + tokens <= limits.tokensPerMinute) break
      used -= call.tokens
      wait = Math.max(wait, until(call))
    }
  }
  return wait
}
