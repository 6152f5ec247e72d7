import { StatewardError } from '../../lib/errors.ts'
import { sendCalls } from '../../store/calls/send.ts'
import type { Store } from '../../store/store.ts'
import { KnownMoney } from './known-money.ts'
import { Lane } from './lane.ts'
import { type Beginning, type Ending, planBatch, type ShortBegun, scopeOf } from './plan-batch.ts'

interface Entry {
  readonly what: Beginning | Ending
  /** What it came to; null = nothing was written, and it has to go the long way. */
  readonly resolve: (done: ShortBegun | true | null) => void
  readonly reject: (error: unknown) => void
}

/** What was known was not so any more: it is read anew, so often. */
const ATTEMPTS = 2

/** What costs nothing and is not limited has nothing kept for it. */
export const NOTHING_KEPT: ShortBegun = { reservation: null, scope: null, book: -1, limited: null }

/**
 * The short way of a call's record: what several begin or end at once is one statement, and one commit. It is worked out of what
 * this process knows of accounts and limits, and the database writes it only when all of that is so still. What does not fit in
 * (there is not enough money, a window is over, another process was faster twice) is told so, and goes the long way.
 */
export class CallBatches {
  readonly #store: Store
  readonly #known: KnownMoney
  readonly #paid: Lane<Entry>
  /** Those that no account has to do with never wait for those that one has. */
  readonly #free: Lane<Entry>

  constructor(store: Store) {
    this.#store = store
    this.#known = new KnownMoney(store)
    this.#paid = new Lane((entries) => this.#write(entries))
    this.#free = new Lane((entries) => this.#write(entries))
  }

  /** Keeps money and a place in the minute; null = it cannot be done so. */
  async begin(beginning: Beginning): Promise<ShortBegun | null> {
    const { run, step } = { run: beginning.row.run_id, step: beginning.row.step }
    // What the calls of such a step cost comes out of what is kept for it.
    if (beginning.money !== null && run !== null && step !== null && (await this.#known.hasStepMoney(run, step)))
      return null
    const done = await this.#add(this.#paid, beginning)
    return done === true ? null : done
  }

  /** False = it cannot be done so. */
  async end(ending: Ending): Promise<boolean> {
    const { reservation, limited } = ending.begun
    return (await this.#add(reservation === null && limited === null ? this.#free : this.#paid, ending)) !== null
  }

  async settled(): Promise<void> {
    await Promise.all([this.#paid.settled(), this.#free.settled()])
  }

  #add(lane: Lane<Entry>, what: Beginning | Ending): Promise<ShortBegun | true | null> {
    return new Promise((resolve, reject) => lane.add({ what, resolve, reject }))
  }

  async #write(entries: readonly Entry[]): Promise<void> {
    let open = entries
    try {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        await this.#learn(open)
        const plan = planBatch(this.#known, open, this.#store.clock.now())
        for (const { resolve } of plan.others) resolve(null)
        open = plan.planned.map(({ entry }) => entry)
        if (open.length === 0) return
        if (await sendCalls(this.#store, plan.rows)) {
          plan.written()
          for (const { entry, begun } of plan.planned) entry.resolve(begun ?? true)
          return
        }
        this.#known.forget()
      }
    } catch (error) {
      this.#known.forget()
      if (error instanceof StatewardError) {
        for (const { reject } of open) reject(error)
        return
      }
      // Something of one of them is refused: each is told by itself.
      this.#store.log.warn({ err: error }, 'a batch of calls of models was refused; each is written by itself')
    }
    for (const { resolve } of open) resolve(null)
  }

  async #learn(entries: readonly Entry[]): Promise<void> {
    const scopes = entries.flatMap(({ what }) => {
      if (what.kind === 'end') return what.begun.scope ?? []
      return what.money === null ? [] : scopeOf(what.money)
    })
    const providers = entries.flatMap(({ what }) => {
      if (what.kind === 'end') return what.begun.limited ?? []
      return what.limits === null ? [] : what.row.provider
    })
    await this.#known.learn(scopes, providers)
  }
}
