import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage } from '../../lib/errors.ts'
import { type Serialised, serialise } from './batch.ts'
import type { Transition } from './rows.ts'

/** A transition that waits to become durable. */
export interface Entry {
  readonly rows: Serialised
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

interface Waiting {
  readonly transition: Transition
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export interface QueueLimits {
  readonly transitions: number
  readonly bytes: number
  /** One transition may weigh this much. */
  readonly transitionBytes: number
}

export const QUEUE_LIMITS: QueueLimits = {
  transitions: 10_000,
  bytes: 64 * 1024 * 1024,
  transitionBytes: 16 * 1024 * 1024,
}

/** One statement carries at most this much; beyond it a batch only delays what it could already have committed. */
const BATCH = { transitions: 500, bytes: 8 * 1024 * 1024 }

/**
 * First in, first out, and bounded: what does not fit waits outside, still in order and not yet serialised, until there
 * is room. So the order of one run's transitions is the order in which they were appended, whatever the load.
 */
export class JournalQueue {
  #entries: Entry[] = []
  #waiting: Waiting[] = []
  #bytes = 0
  readonly #limits: QueueLimits
  readonly #refused: (runId: string) => void

  /** `refused` is called when a transition cannot be serialised; its promise is rejected, with those of its run behind it. */
  constructor(limits: QueueLimits, refused: (runId: string) => void) {
    this.#limits = limits
    this.#refused = refused
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  /** Nothing fits any more: callers that could start something new should not. */
  get isFull(): boolean {
    return this.#entries.length >= this.#limits.transitions || this.#bytes >= this.#limits.bytes
  }

  push(waiting: Waiting): void {
    if (this.#waiting.length > 0 || this.isFull) this.#waiting.push(waiting)
    else this.#admit(waiting)
  }

  /** The next batch, at least one entry unless the queue is empty. */
  take(): Entry[] {
    let count = 0
    let bytes = 0
    while (count < this.#entries.length && count < BATCH.transitions) {
      bytes += this.#entries[count]!.rows.bytes
      if (count > 0 && bytes > BATCH.bytes) break
      count++
    }
    const batch = this.#entries.splice(0, count)
    for (const entry of batch) this.#bytes -= entry.rows.bytes
    while (this.#waiting.length > 0 && !this.isFull) this.#admit(this.#waiting.shift()!)
    return batch
  }

  /** Takes out everything of one run. */
  removeRun(runId: string): readonly { reject: (error: unknown) => void }[] {
    const gone = this.#entries.filter((entry) => entry.rows.runId === runId)
    const turnedAway = this.#waiting.filter((waiting) => waiting.transition.run_id === runId)
    this.#entries = this.#entries.filter((entry) => entry.rows.runId !== runId)
    this.#waiting = this.#waiting.filter((waiting) => waiting.transition.run_id !== runId)
    for (const entry of gone) this.#bytes -= entry.rows.bytes
    return [...gone, ...turnedAway]
  }

  /** Takes out everything. */
  clear(): readonly { reject: (error: unknown) => void }[] {
    const all = [...this.#entries, ...this.#waiting]
    this.#entries = []
    this.#waiting = []
    this.#bytes = 0
    return all
  }

  #admit({ transition, resolve, reject }: Waiting): void {
    try {
      const rows = serialise(transition)
      if (rows.bytes > this.#limits.transitionBytes) {
        throw fail(
          'SW_STORAGE_ERROR',
          `one step of the run weighs ${rows.bytes} bytes, more than ${this.#limits.transitionBytes}`,
        )
      }
      this.#entries.push({ rows, resolve, reject })
      this.#bytes += rows.bytes
    } catch (error) {
      reject(fail('SW_STORAGE_ERROR', `the step could not be written down: ${errorMessage(error)}`, { cause: error }))
      // What follows in this run would build on a step that is not recorded.
      this.#refused(transition.run_id)
      for (const later of this.removeRun(transition.run_id)) later.reject(precedingRefused())
    }
  }
}

export function precedingRefused(): Error {
  return fail('SW_STORAGE_ERROR', 'an earlier step of the same run could not be stored')
}
