/** Wakes those who wait for tasks of an agent. A hint: whoever waits also looks by himself from time to time. */
export class TaskNotifier {
  readonly #waiting = new Map<string, Set<() => void>>()
  readonly #listeners = new Set<(namespace: string, agent: string) => void>()

  /** Something was queued for that agent (after the commit). */
  notify(namespace: string, agent: string): void {
    const waiting = this.#waiting.get(`${namespace}/${agent}`)
    if (waiting !== undefined) for (const wake of [...waiting]) wake()
    for (const listener of this.#listeners) listener(namespace, agent)
  }

  /** Returns what ends it. */
  onTask(listener: (namespace: string, agent: string) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Resolves at the next notification, after `ms`, or when `signal` aborts, whatever comes first. */
  wait(namespace: string, agent: string, ms: number, signal?: AbortSignal): Promise<void> {
    const key = `${namespace}/${agent}`
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(key) ?? new Set()
      this.#waiting.set(key, waiting)
      const done = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        waiting.delete(done)
        if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key)
        resolve()
      }
      const timer = setTimeout(done, ms)
      waiting.add(done)
      if (signal?.aborted) done()
      else signal?.addEventListener('abort', done, { once: true })
    })
  }
}
