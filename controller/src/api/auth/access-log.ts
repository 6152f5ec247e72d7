import type { VerbOf } from '../../events/catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { NewEvent } from '../../store/ports.ts'
import type { Store } from '../../store/store.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { Verb } from './verbs.ts'

/** A request for something privileged. */
export interface Asked {
  readonly actor: string
  readonly correlationId: string
  readonly verb: Verb
  readonly operation: string
  readonly path: string
}

/** Refusals of the same caller and operation within this time are one event with a count. */
const FOLD_MS = 10_000
const MOST_FOLDED = 1_000

interface Folded {
  readonly asked: Asked
  readonly code: string
  count: number
}

/**
 * Every decision about something privileged becomes an event. What is allowed is durable before it is done: when it cannot
 * be written, it is not done. Refusals cost the asker nothing, so they are written after the fact and folded together: who
 * asks a thousand times does not fill the log.
 */
export class AccessLog {
  readonly #store: Store
  readonly #log: Logger
  readonly #written: (seq: number) => void
  readonly #folded = new Map<string, Folded>()
  #timer: NodeJS.Timeout | null = null

  constructor(store: Store, log: Logger, written: (seq: number) => void) {
    this.#store = store
    this.#log = log
    this.#written = written
  }

  /** Resolves when it is durable. */
  allowed(asked: Asked): Promise<void> {
    return this.#append(this.#event('stateward.access.allowed', asked, {}))
  }

  denied(asked: Asked, code: string): void {
    const key = JSON.stringify([asked.actor, asked.operation, code])
    const known = this.#folded.get(key)
    if (known !== undefined) {
      known.count += 1
      return
    }
    if (this.#folded.size >= MOST_FOLDED) this.#unfold()
    this.#folded.set(key, { asked, code, count: 0 })
    this.#timer ??= setTimeout(() => this.#unfold(), FOLD_MS).unref()
    this.#appendDenied(asked, code, 1)
  }

  /** Writes what is still to be written. */
  async close(): Promise<void> {
    this.#unfold()
    await this.#store.intake.settled()
  }

  #unfold(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    for (const { asked, code, count } of this.#folded.values()) if (count > 0) this.#appendDenied(asked, code, count)
    this.#folded.clear()
  }

  #appendDenied(asked: Asked, code: string, count: number): void {
    this.#append(this.#event('stateward.access.denied', asked, { code, count })).catch((error: unknown) => {
      this.#log.error({ err: error, correlation_id: asked.correlationId }, 'a refusal could not be written to the log')
    })
  }

  #event(
    name: `stateward.access.${VerbOf<'stateward.access'>}`,
    asked: Asked,
    data: Readonly<Record<string, string | number>>,
  ): NewEvent {
    const now = this.#store.clock.now()
    return {
      event_id: uuidv7(now.getTime()),
      event_name: name,
      occurred_at: now,
      env_id: 'default',
      actor: asked.actor,
      correlation_id: asked.correlationId,
      data: { verb: asked.verb, operation: asked.operation, path: asked.path, ...data },
    }
  }

  /** Together with what others send at this moment. */
  async #append(event: NewEvent): Promise<void> {
    this.#written(await this.#store.intake.append(event))
  }
}
