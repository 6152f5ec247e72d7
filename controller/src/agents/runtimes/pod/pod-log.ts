import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as sleep } from 'node:timers/promises'
import { KubeError } from '../../../kube-client/kube-error.ts'
import { type Backoff, backoffMs } from '../../../lib/backoff.ts'
import { readIfThere } from '../../../lib/error-code.ts'
import { cutLog } from '../../../lib/programs/log-file.ts'
import type { PodsApi } from './pods-api.ts'

/** Between looks whether it has started, and after a log that broke off; longer where nothing comes again and again. */
const AGAIN: Backoff = { firstMs: 1_000, factor: 2, maxMs: 30_000, jitter: 0 }
/** RFC 3339 as the API server writes it before each line, with a fraction of a second or without. */
const STAMPED = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ?/

/**
 * Copies what a pod prints into a file of its instance's folder, where the logs of processes are: `out`, or of a task's command
 * `err`, since there `out` is its result. It goes on where it was after the connection broke off, and in the next controller;
 * `close` ends it, `drained` waits until the pod has said its last. The API server is asked only once the container has started.
 */
export class PodLog {
  readonly #api: PodsApi
  readonly #name: string
  readonly #file: string
  /** Tells up to which line the log was copied. */
  readonly #mark: string
  /** Beyond this it is cut to its end. */
  readonly #maxBytes: number
  readonly #hasStarted: () => boolean
  readonly #stopping = new AbortController()
  #last: string | null
  /** Nothing more will be printed: what is there is copied once more, and that is all. */
  readonly #ending = new AbortController()
  readonly #copying: Promise<void>

  constructor(
    api: PodsApi,
    name: string,
    into: { readonly folder: string; readonly file: 'out' | 'err'; readonly maxBytes: number },
    hasStarted: () => boolean,
  ) {
    const { folder, file, maxBytes } = into
    this.#api = api
    this.#maxBytes = maxBytes
    this.#hasStarted = hasStarted
    this.#name = name
    this.#file = join(folder, file)
    this.#mark = `${this.#file}.at`
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.#last = readIfThere(this.#mark)?.trim() ?? null
    this.#copying = this.#copy()
  }

  /** Waits until everything is copied, at most `ms`, once the pod has ended. */
  async drained(ms: number): Promise<void> {
    this.#ending.abort()
    await Promise.race([this.#copying, sleep(ms, undefined, { ref: false })])
    await this.close()
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#copying
  }

  async #copy(): Promise<void> {
    const { signal } = this.#stopping
    for (let inVain = 0; !signal.aborted; inVain++) {
      const wasEnded = this.#ending.signal.aborted
      try {
        if (!wasEnded && !this.#hasStarted()) inVain = 0
        else
          for await (const lines of linesOf(await this.#api.log(this.#name, sinceOf(this.#last), signal))) {
            inVain = 0
            this.#keep(lines)
          }
        if (wasEnded) return
      } catch (error) {
        // A container that has not been started has no log (400), and the log of a pod that is gone is, too.
        if (error instanceof KubeError && (error.failure === 'notFound' || (wasEnded && !error.isRetryable))) return
      }
      const soon = wasEnded ? signal : AbortSignal.any([signal, this.#ending.signal])
      const pause = backoffMs(AGAIN, Math.max(1, inVain), 0)
      await sleep(pause, undefined, { signal: soon, ref: false }).catch(() => {})
    }
  }

  #keep(lines: readonly string[]): void {
    const fresh: string[] = []
    for (const line of lines) {
      const stamp = STAMPED.exec(line)
      const at = stamp?.[1] ?? null
      // The server knows seconds only: what was copied of the last one comes again.
      if (at !== null && this.#last !== null && !isLater(at, this.#last)) continue
      if (at !== null) this.#last = at
      fresh.push(stamp === null ? line : line.slice(stamp[0].length))
    }
    if (fresh.length === 0) return
    appendFileSync(this.#file, `${fresh.join('\n')}\n`, { mode: 0o600 })
    if (this.#last !== null) writeFileSync(this.#mark, `${this.#last}\n`, { mode: 0o600 })
    cutLog(this.#file, this.#maxBytes)
  }
}

/** Whole seconds: what the API takes. */
function sinceOf(stamp: string | null): string | null {
  return stamp === null ? null : stamp.replace(/\.\d+Z$/, 'Z')
}

/** Compares two stamps of a log; their fractions may be of different lengths. */
export function isLater(a: string, b: string): boolean {
  const [secondsA, fractionA] = partsOf(a)
  const [secondsB, fractionB] = partsOf(b)
  return secondsA === secondsB ? fractionA > fractionB : secondsA > secondsB
}

function partsOf(stamp: string): readonly [string, string] {
  const [seconds = '', fraction = ''] = stamp.replace('Z', '').split('.')
  return [seconds, fraction.padEnd(9, '0')]
}

async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<readonly string[]> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const chunk of body) {
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop()!
    if (lines.length > 0) yield lines
  }
  if (rest !== '') yield [rest]
}
