import { fail } from '../lib/error-catalogue.ts'
import { appendEvents } from '../store/log.ts'
import { type BreakerKind, type BreakerRow, openBreakers, takeProbe } from '../store/queries/breakers.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { breakerEvent, breakerId, reset, trip } from './breakers.ts'

const ACTOR = 'system:breakers'
/** What was read counts this long: so soon is a breaker that another process opened heeded here. */
const FRESH_MS = 250
/** Without a timeout of its own, a call that tries has this long to say how it went. */
const PROBE_MS = 60_000

/** How a tool says that it is to be broken off. */
export interface BreakerSettings {
  /** So many calls in a row have to fail. */
  readonly failures: number
  readonly cooldownSeconds: number
}

/** One call of a tool, or of a provider of models. */
export interface BrokenCall<T> {
  readonly namespace: string
  /** The name, not an alias. */
  readonly tool: string
  readonly timeoutMs: number
  /** Null = it opens by hand only. */
  readonly settings: BreakerSettings | null
  readonly run: () => Promise<T>
  /** Whether a failure says something of the tool: a call that was taken back does not. */
  readonly counts: (error: unknown) => boolean
}

/**
 * Heeds the breakers of tools, or of providers of models, in this process. What is open is asked of the database at most four times a second, and only
 * while tools are called. Failures in a row are counted in each process by itself; that a breaker is open, everybody knows.
 */
export class ToolBreakers {
  readonly #store: Store
  readonly #kind: BreakerKind
  readonly #failures = new Map<string, number>()
  #known: ReadonlyMap<string, BreakerRow> = new Map()
  #readAt = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | null = null

  constructor(store: Store, kind: BreakerKind = 'Tool') {
    this.#store = store
    this.#kind = kind
  }

  /** Calls, unless the breaker is open: then SW_BREAKER_OPEN. */
  async call<T>(call: BrokenCall<T>): Promise<T> {
    const key = `${call.namespace}/${call.tool}`
    const isProbe = await this.#pass(key, call)
    try {
      const result = await call.run()
      if (isProbe) await this.#noted(this.#close(call))
      if (call.settings !== null) this.#failures.delete(key)
      return result
    } catch (error) {
      if (call.counts(error)) await this.#noted(this.#failed(key, call, isProbe))
      throw error
    }
  }

  /** What became of the call counts, also when the database is away and the breaker cannot be moved: the next failure moves it. */
  async #noted<R>(moved: Promise<R>): Promise<R | undefined> {
    try {
      return await moved
    } catch (error) {
      this.#store.log.warn({ err: error }, 'a breaker could not be moved')
      return undefined
    }
  }

  /** True when this call is the one that tries. */
  async #pass(key: string, call: BrokenCall<unknown>): Promise<boolean> {
    await this.#refresh()
    const row = this.#known.get(key)
    if (row === undefined) return false
    const { store } = this.#scope()
    const at = store.clock.now()
    const mayTry = row.state === 'open' ? row.probe_at !== null && row.probe_at <= at : row.probe_until! <= at
    if (mayTry && (await this.#noted(this.#takeProbe(call, at))) === true) return true
    throw fail('SW_BREAKER_OPEN', `the breaker ${breakerId(row)} is ${row.state.replace('_', ' ')}: ${row.reason}`, {
      details: { breaker: breakerId(row), probe_at: row.probe_at?.toISOString() ?? null },
    })
  }

  async #takeProbe(call: BrokenCall<unknown>, at: Date): Promise<boolean> {
    const { store, target } = this.#scope(call)
    const until = new Date(at.getTime() + Math.max(PROBE_MS, call.timeoutMs))
    const taken = await transact(store, async (tx) => {
      const row = await takeProbe(tx, target, { at, until })
      if (row !== null) await appendEvents(tx, store, [breakerEvent('half_opened', row, at, ACTOR)])
      return row !== null
    })
    this.#readAt = Number.NEGATIVE_INFINITY
    return taken
  }

  async #close(call: BrokenCall<unknown>): Promise<void> {
    const { store, target } = this.#scope(call)
    await transact(store, (tx) => reset(tx, store, target, ACTOR))
    this.#readAt = Number.NEGATIVE_INFINITY
  }

  async #failed(key: string, call: BrokenCall<unknown>, isProbe: boolean): Promise<void> {
    const { settings } = call
    const count = (this.#failures.get(key) ?? 0) + 1
    if (settings !== null) this.#failures.set(key, count)
    if (!isProbe && (settings === null || count < settings.failures)) return
    const { store, target } = this.#scope(call)
    const row = this.#known.get(key)
    const cooldownSeconds = settings?.cooldownSeconds ?? row?.cooldown_seconds ?? null
    const reason = isProbe ? 'the call that was tried failed' : `${count} calls in a row failed`
    this.#failures.delete(key)
    try {
      await transact(store, (tx) => trip(tx, store, target, { reason, actor: ACTOR, cooldownSeconds }))
    } catch (error) {
      if (settings !== null) this.#failures.set(key, count)
      throw error
    }
    this.#readAt = Number.NEGATIVE_INFINITY
  }

  #scope(call?: BrokenCall<unknown>) {
    const target = { kind: this.#kind, namespace: call?.namespace ?? '', name: call?.tool ?? '' }
    return { store: this.#store, target }
  }

  async #refresh(): Promise<void> {
    const { clock, engine } = this.#store
    if (clock.monotonicMs() - this.#readAt < FRESH_MS) return
    this.#reading ??= openBreakers(engine, this.#kind)
      .then((rows) => {
        this.#known = new Map(
          rows.flatMap((row) => (row.effect === 'notify' ? [] : [[`${row.namespace}/${row.name}`, row] as const])),
        )
        this.#readAt = clock.monotonicMs()
      })
      // What was known last counts while the database is away: a call does not fail by that.
      .catch((error: unknown) => this.#store.log.warn({ err: error }, 'the open breakers could not be read'))
      .finally(() => {
        this.#reading = null
      })
    await this.#reading
  }
}
