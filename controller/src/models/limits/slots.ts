interface Waiting {
  readonly urgency: number
  readonly order: number
  readonly go: () => void
}

/**
 * How many calls of a provider run at once in this process. Those that wait are let in by urgency, the lowest first, then in
 * the order they came.
 */
export class Slots {
  #running = 0
  #order = 0
  readonly #waiting: Waiting[] = []

  get waiting(): number {
    return this.#waiting.length
  }

  /** Resolves when it may begin; the answer gives the place back, once. Rejects with the reason of the signal. */
  async enter(most: number, urgency: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#running >= most || this.#waiting.length > 0) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const own: Waiting = { urgency, order: this.#order++, go: resolve }
      const leave = (): void => {
        const at = this.#waiting.indexOf(own)
        if (at === -1) return
        this.#waiting.splice(at, 1)
        reject(signal.reason)
      }
      this.#waiting.push(own)
      this.#waiting.sort((a, b) => a.urgency - b.urgency || a.order - b.order)
      signal.addEventListener('abort', leave, { once: true })
      this.#admit(most)
      try {
        await promise
      } finally {
        signal.removeEventListener('abort', leave)
      }
    } else this.#running += 1
    let left = false
    return () => {
      if (left) return
      left = true
      this.#running -= 1
      this.#admit(most)
    }
  }

  #admit(most: number): void {
    while (this.#running < most && this.#waiting.length > 0) {
      this.#running += 1
      this.#waiting.shift()!.go()
    }
  }
}
