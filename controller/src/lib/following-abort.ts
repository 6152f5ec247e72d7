/** An abort of one's own that also follows another. */
export interface FollowingAbort {
  readonly signal: AbortSignal
  readonly abort: (reason: unknown) => void
  /** Follows no longer; what is aborted stays so. */
  readonly end: () => void
}

/**
 * Follows `other` until `end`. For calls that come by the thousand: AbortSignal.any leaves weak references behind, which
 * cost more to clear away than the call takes.
 */
export function followAbort(other: AbortSignal): FollowingAbort {
  const controller = new AbortController()
  const follow = (): void => controller.abort(other.reason)
  if (other.aborted) follow()
  else other.addEventListener('abort', follow, { once: true })
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    end: () => other.removeEventListener('abort', follow),
  }
}
