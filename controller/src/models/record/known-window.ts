import type { WindowCallRow } from '../../store/queries/model-calls.ts'
import { hasRoom, WINDOW_MS, type WindowLimits } from '../limits/window.ts'

/** The calls of a provider in the last minute, as this process knows them: right as long as the version is. */
export class KnownWindow {
  version: number
  readonly #calls: Map<string, { readonly at: number; tokens: number }>
  #tokens = 0

  constructor(version: number, calls: readonly WindowCallRow[]) {
    this.version = version
    this.#calls = new Map(
      calls.map(({ call_id, started_at, tokens }) => [call_id, { at: started_at.getTime(), tokens }]),
    )
    for (const { tokens } of calls) this.#tokens += tokens
  }

  /** Whether another call has room, after `more` that begin with it. */
  hasRoom(
    limits: WindowLimits,
    tokens: number,
    more: { readonly calls: number; readonly tokens: number },
    now: Date,
  ): boolean {
    this.#forgetUntil(now.getTime() - WINDOW_MS)
    return hasRoom(limits, { calls: this.#calls.size + more.calls, tokens: this.#tokens + more.tokens }, tokens)
  }

  begun(callId: string, at: Date, tokens: number): void {
    this.#calls.set(callId, { at: at.getTime(), tokens })
    this.#tokens += tokens
  }

  /** What it used; null = it was never sent, undefined = nobody knows. */
  ended(callId: string, tokens: number | null | undefined): void {
    const call = this.#calls.get(callId)
    if (call === undefined || tokens === undefined) return
    this.#tokens += (tokens ?? 0) - call.tokens
    if (tokens === null) this.#calls.delete(callId)
    else call.tokens = tokens
  }

  /** They are in the order in which they began, or nearly: an old one behind a young one counts a little longer. */
  #forgetUntil(ms: number): void {
    for (const [id, { at, tokens }] of this.#calls) {
      if (at > ms) return
      this.#calls.delete(id)
      this.#tokens -= tokens
    }
  }
}
