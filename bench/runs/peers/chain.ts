import { STEPS } from '../serve.ts'

/** A run on a queue: a job for each step, each puts the next one into the queue. */
export interface Job {
  readonly run: number
  readonly k: number
}

/** Starts chains of jobs and knows when they end. */
export class Chains {
  readonly #waiting = new Map<number, () => void>()
  #next = 0

  /** Resolves when the last job of a new run is reported to have ended. */
  async run(add: (job: Job) => Promise<unknown>): Promise<void> {
    const run = this.#next++
    const ended = new Promise<void>((resolve) => this.#waiting.set(run, resolve))
    await add({ run, k: 0 })
    await ended
  }

  /** The work of a job: what the step gives, and the job after it, null after the last. */
  work({ run, k }: Job): { readonly output: object; readonly next: Job | null } {
    return { output: { ok: true, k, msg: 'done' }, next: k < STEPS - 1 ? { run, k: k + 1 } : null }
  }

  ended({ run, k }: Job): void {
    if (k < STEPS - 1) return
    this.#waiting.get(run)?.()
    this.#waiting.delete(run)
  }
}
