import type { EventName } from '../events/catalogue.ts'
import type { Clock } from '../lib/clock.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { NewEvent } from '../store/ports.ts'
import type { Logger } from '../telemetry/logger.ts'

/** What every start goes through, in this order: what it finds is complete before it is served. */
const PHASES = ['database', 'schema', 'rest', 'streams', 'worker', 'announced'] as const
export type StartPhase = (typeof PHASES)[number]

/**
 * How far the start has come. `database`: connections are there. `schema`: it is the one of this program. `rest`: the
 * accepted state is known, requests are answered. `streams`: event streams are opened. `worker`: pending work goes on.
 * `announced`: the streams have said that the bus was restarted; from here on the process is ready.
 */
export class StartPhases {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #reached: { readonly name: StartPhase; readonly ms: number }[] = []

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock
    this.#log = log
  }

  /** Throws when one is left out: what comes next would find less than it may expect. */
  reached(name: StartPhase): void {
    if (PHASES[this.#reached.length] !== name) throw new TypeError(`${name} is not the next phase of the start`)
    const ms = Math.round(this.#clock.monotonicMs())
    this.#reached.push({ name, ms })
    this.#log.debug({ phase: name, ms }, 'a phase of the start is done')
  }

  has(name: StartPhase): boolean {
    return this.#reached.some((phase) => phase.name === name)
  }

  /** Why the process is not ready; null when it is. */
  problem(): string | null {
    const next = PHASES[this.#reached.length]
    return next === undefined ? null : `the process starts: ${next} comes next`
  }

  /** What streams say of it. */
  event(process: { readonly id: string; readonly host: string }, now: Date): NewEvent {
    return {
      event_id: uuidv7(now.getTime()),
      event_name: 'stateward.bus.restarted' satisfies EventName,
      occurred_at: now,
      env_id: 'default',
      actor: 'system',
      correlation_id: uuidv7(now.getTime()),
      data: { process: process.id, host: process.host, phases: this.#reached.map((phase) => ({ ...phase })) },
    }
  }
}
