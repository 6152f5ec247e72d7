import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { fail } from '../../../lib/error-catalogue.ts'
import type { GitContext } from './git-process.ts'
import { killGroup, readableStderr, spawnGit, startFailure } from './git-process.ts'

/** Collects the answer to one request out of the chunks of the child's output. */
export interface AnswerReader<T> {
  /** Takes the next bytes; true when the answer is complete. Throws when the bytes cannot be the answer. */
  push(chunk: Buffer): boolean
  result(): T
}

interface Pending {
  readonly input: string
  readonly start: () => AnswerReader<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  attempts: number
}

const REQUEST_TIMEOUT_MS = 120_000

/**
 * A git child that answers requests on its standard input one after the other. Guarantees: answers come in the order
 * asked; a child that ended is replaced at the next request; a request it ended under is asked once more and then
 * fails with SW_GIT_FAILED, never with an empty answer; nothing hangs (two minutes a request).
 */
export class RequestChild {
  readonly #context: GitContext
  readonly #args: readonly string[]
  readonly #queue: Pending[] = []
  #child: ChildProcessWithoutNullStreams | null = null
  #active: { pending: Pending; reader: AnswerReader<unknown>; timer: NodeJS.Timeout } | null = null
  #stderr = ''
  #closed = false

  constructor(context: GitContext, args: readonly string[]) {
    this.#context = context
    this.#args = args
  }

  request<T>(input: string, start: () => AnswerReader<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) return reject(fail('SW_CANCELLED', 'the repository was closed'))
      this.#queue.push({ input, start, resolve: resolve as (value: unknown) => void, reject, attempts: 0 })
      this.#next()
    })
  }

  /** What the child said on its standard error since its start, at most the last 4 KiB. */
  get stderr(): string {
    return readableStderr(this.#stderr)
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const pending of this.#queue.splice(0)) pending.reject(fail('SW_CANCELLED', 'the repository was closed'))
    const child = this.#child
    if (child === null) return
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
    child.stdin.end()
    const timer = setTimeout(() => killGroup(child), 1000)
    await ended
    clearTimeout(timer)
  }

  #next(): void {
    if (this.#active !== null || this.#closed) return
    const pending = this.#queue.shift()
    if (pending === undefined) return
    const child = this.#child ?? this.#start()
    pending.attempts++
    const timer = setTimeout(() => killGroup(child), REQUEST_TIMEOUT_MS)
    this.#active = { pending, reader: pending.start(), timer }
    child.stdin.write(pending.input)
  }

  #start(): ChildProcessWithoutNullStreams {
    const child = spawnGit(this.#context, this.#args)
    this.#child = child
    this.#stderr = ''
    child.stdout.on('data', (chunk: Buffer) => this.#onData(child, chunk))
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4096)
    })
    // A write to a child that just ended: its 'close' tells the rest.
    child.stdin.on('error', () => {})
    child.once('error', (error) => this.#onEnd(child, startFailure(this.#context, error)))
    child.once('close', () => this.#onEnd(child, null))
    return child
  }

  #onData(child: ChildProcessWithoutNullStreams, chunk: Buffer): void {
    if (this.#child !== child || this.#active === null) return
    const { pending, reader, timer } = this.#active
    try {
      if (!reader.push(chunk)) return
      clearTimeout(timer)
      this.#active = null
      pending.resolve(reader.result())
    } catch (error) {
      // The stream is out of step: only a new child can be trusted again.
      clearTimeout(timer)
      this.#active = null
      this.#child = null
      killGroup(child)
      pending.reject(error)
    }
    this.#next()
  }

  #onEnd(child: ChildProcessWithoutNullStreams, startError: Error | null): void {
    if (this.#child !== child) return
    this.#child = null
    const active = this.#active
    if (active === null) return
    clearTimeout(active.timer)
    this.#active = null
    if (startError === null && active.pending.attempts < 2 && !this.#closed) this.#queue.unshift(active.pending)
    else
      active.pending.reject(
        startError ??
          fail(
            'SW_GIT_FAILED',
            `git ${this.#args[0]} ended while it was asked${this.#stderr === '' ? '' : `: ${this.stderr}`}`,
          ),
      )
    this.#next()
  }
}
