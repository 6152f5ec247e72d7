import { setTimeout as delay } from 'node:timers/promises'

/** Resolves when the work is over, after so many milliseconds of it, or when `enough` is aborted; the work goes on. Throws what it throws before that. */
export async function atMost(ms: number, work: Promise<unknown>, enough: AbortSignal): Promise<void> {
  const over = new AbortController()
  const signal = AbortSignal.any([enough, over.signal])
  try {
    await Promise.race([work, delay(ms, undefined, { signal, ref: false }).catch(() => undefined)])
  } finally {
    over.abort()
  }
}
