import { appendEvents } from '../store/log.ts'
import { daemonsToHearFrom, forgetDeliveries } from '../store/queries/intervention-receipts.ts'
import { type InterventionRow, openInterventions, recordProposal } from '../store/queries/interventions.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { CONTROLLER, interventionEvent } from './events.ts'
import { applyForNobody } from './issue.ts'
import type { InterventionTarget, ProposeEdits } from './ports.ts'
import { proposeIntervention } from './propose.ts'

export interface KeeperDeps {
  readonly store: Store
  /** Null when the agent is gone. */
  readonly targetOf: (agent: { readonly namespace: string; readonly name: string }) => InterventionTarget | null
  readonly propose: ProposeEdits
}

const LOOK_MS = 1_000

/**
 * Looks after what was issued and is not settled: takes over what a former leader left, answers for agents that have nobody
 * to do it, and makes the commits that could not be made before. It looks once a second while there is such a thing, and
 * not at all while there is none.
 */
export class InterventionKeeper {
  readonly #deps: KeeperDeps
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(deps: KeeperDeps) {
    this.#deps = deps
  }

  /** What was told before this process led, and not answered, is told again. */
  async start(): Promise<void> {
    const { store } = this.#deps
    await transact(store, async (tx) => {
      await forgetDeliveries(tx)
      const at = store.clock.now()
      const waiting = (await openInterventions(tx)).filter(isWaiting)
      if (waiting.length > 0)
        await appendEvents(
          tx,
          store,
          waiting.map((row) => interventionEvent('requeued', row, at, CONTROLLER)),
        )
    })
    this.nudge()
  }

  /** Something was issued. */
  nudge(): void {
    if (this.#timer !== null || this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#looking = this.#look()
    }, LOOK_MS)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#looking
  }

  async #look(): Promise<void> {
    let more = true
    try {
      more = (await this.#round()) > 0
    } catch (error) {
      this.#deps.store.log.warn({ err: error }, 'interventions could not be looked after; it is tried again')
    }
    if (more) this.nudge()
  }

  /** How many are still to be looked after. */
  async #round(): Promise<number> {
    const { store } = this.#deps
    let left = 0
    for (const row of await openInterventions(store.engine)) {
      if (this.#stopped) return 0
      if (isWaiting(row) && !(await this.#applied(row))) left += 1
      if (row.propose_at === null) continue
      left += 1
      if (row.propose_at <= store.clock.now()) await this.#propose(row)
    }
    return left
  }

  async #applied(row: InterventionRow): Promise<boolean> {
    const { store } = this.#deps
    if ((await daemonsToHearFrom(store.engine, row.intervention_id, row.agent_uid)) > 0) return false
    return transact(store, async (tx) => {
      const events = await applyForNobody(tx, row, store.clock.now())
      if (events.length > 0) await appendEvents(tx, store, events)
      return events.length > 0
    })
  }

  async #propose(row: InterventionRow): Promise<void> {
    const target = this.#deps.targetOf({ namespace: row.namespace, name: row.agent })
    if (target !== null) return proposeIntervention(this.#deps, target, row)
    // Its agent is gone from Git: there is nothing to edit.
    const nothing = { branch: null, commit: null, error: null, again: null }
    await transact(this.#deps.store, (tx) => recordProposal(tx, row.intervention_id, nothing))
  }
}

function isWaiting({ state }: InterventionRow): boolean {
  return state === 'pending' || state === 'acknowledged'
}
