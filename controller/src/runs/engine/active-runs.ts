import { StatewardError } from '../../lib/errors.ts'
import type { Journal } from '../../store/journal.ts'
import { openInboxRows, ownedRunsWithInbox } from '../../store/queries/inbox.ts'
import { getRun, type RunRow, releaseRuns, strayRuns } from '../../store/queries/runs.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import type { EnvironmentOf, ValueStore } from '../ports.ts'
import { loadRuns, type PlanCache } from '../state/load.ts'
import { type RunRecords, runStateOf } from '../state/run-state.ts'
import type { StepContext } from '../steps/handler.ts'
import { type Departure, type Refusal, RunActor } from './actor.ts'
import { admitWithinLimits, type RunQuota } from './concurrency.ts'

/** A run that cannot even record that it failed is left alone until the process starts again. */
const MAX_REFUSALS = 3
/** When runs that could not be loaded are tried again, by anybody. */
const LOAD_AGAIN_MS = 5000

export interface ActiveRunsDeps {
  readonly store: Store
  readonly journal: Journal
  readonly plans: PlanCache
  readonly values: ValueStore
  readonly context: StepContext
  readonly environmentOf: EnvironmentOf
  readonly runQuota: RunQuota
  /** A run has left; it is not among the active ones any more. */
  readonly departed: (actor: RunActor, departure: Departure) => void
}

/**
 * The runs that this process moves, one actor each. What the database refused is loaded again and answered for; runs that
 * are ours and that nobody moves are found.
 */
export class ActiveRuns {
  readonly #deps: ActiveRunsDeps
  readonly #actors = new Map<string, RunActor>()
  readonly #refusals = new Map<string, number>()
  /** Runs that are being loaded again. */
  readonly #reloading = new Set<string>()
  /** While strays are looked for: every run that had an actor meanwhile. */
  #looking: Set<string> | null = null
  #stopping = false

  constructor(deps: ActiveRunsDeps) {
    this.#deps = deps
  }

  get size(): number {
    return this.#actors.size
  }

  /** Something may have come to the inbox of a run, should it be one of these. */
  readInbox(runId: string): void {
    void this.#actors.get(runId)?.readInbox()
  }

  /** Time has passed. */
  tick(): void {
    for (const actor of [...this.#actors.values()]) actor.tick()
  }

  /** Runs without a call under way leave; the others when it has ended. Later ones are moved as before. */
  leave(): void {
    for (const actor of [...this.#actors.values()]) actor.stop()
  }

  /** Nothing new starts; runs without a call under way leave. */
  stop(): void {
    this.#stopping = true
    for (const actor of this.#actors.values()) actor.stop()
  }

  /** Leaves what is still there as the database has it. */
  drop(reason: Error): void {
    for (const actor of this.#actors.values()) actor.drop(reason)
    this.#actors.clear()
  }

  /** Moves runs that are ours in the database. */
  async load(rows: readonly RunRow[], refusal: Refusal | null = null): Promise<void> {
    const { store, journal, plans } = this.#deps
    try {
      const loaded = await admitWithinLimits(store, this.#deps.runQuota, await loadRuns(store.engine, plans, rows))
      for (const { records, messages } of loaded) {
        journal.readmit(records.row.run_id)
        this.actorOf(records).begin(messages, refusal)
      }
    } catch (error) {
      // They are ours in the database and nobody moves them: give them back, to be tried again.
      const ids = rows.map((row) => row.run_id)
      store.log.error({ runs: ids, err: error }, 'claimed runs could not be loaded')
      const later = new Date(store.clock.now().getTime() + LOAD_AGAIN_MS)
      await transact(store, (tx) => releaseRuns(tx, store.writer.id, later, ids))
    }
  }

  actorOf(records: RunRecords): RunActor {
    const { store, journal, values, context, environmentOf } = this.#deps
    const { row } = records
    const environment = environmentOf(row.namespace)
    const actor: RunActor = new RunActor(runStateOf(records, environment), {
      journal,
      values,
      context,
      log: store.log,
      envId: environment.id,
      mayStartEffects: () => store.writer.canStartEffects(),
      inbox: async (runId) => {
        // The count first: a message that comes in between is read again rather than slept over.
        const run = await getRun(store.engine, runId)
        return { signals: run?.signals ?? 0, messages: await openInboxRows(store.engine, [runId]) }
      },
      departed: (departure) => this.#departed(actor, departure),
    })
    this.#actors.set(row.run_id, actor)
    this.#looking?.add(row.run_id)
    return actor
  }

  /** What nobody told us: runs whose claim we never heard of, and messages of runs we move. */
  async poll(): Promise<void> {
    const { store } = this.#deps
    await this.#takeStrays()
    if (this.#actors.size === 0) return
    for (const runId of await ownedRunsWithInbox(store.engine, store.writer.id)) this.readInbox(runId)
  }

  #departed(actor: RunActor, departure: Departure): void {
    const { runId } = actor
    // A parked run may have been claimed again before we heard that it was parked.
    if (this.#actors.get(runId) === actor) this.#actors.delete(runId)
    if (departure.kind === 'parked' || departure.kind === 'ended') this.#refusals.delete(runId)
    if (departure.kind === 'refused') void this.#reload(runId, departure)
    this.#deps.departed(actor, departure)
  }

  async #reload(runId: string, { blame, error }: { blame: string | null; error: unknown }): Promise<void> {
    const { store } = this.#deps
    const times = (this.#refusals.get(runId) ?? 0) + 1
    this.#refusals.set(runId, times)
    this.#reloading.add(runId)
    if (times > MAX_REFUSALS) {
      store.log.error({ run_id: runId, err: error }, 'a run cannot record its failure; it is left as it is')
      return
    }
    try {
      const row = await getRun(store.engine, runId)
      if (row === null || row.owner !== store.writer.id || this.#stopping) return
      // A move that started from another state than the database has says nothing against its step: it is decided anew.
      const stale = error instanceof StatewardError && error.ref === 'SW_CONFLICT'
      await this.load([row], stale ? null : { blame, error, times })
    } catch (failure) {
      store.log.error({ run_id: runId, err: failure }, 'a run could not be loaded again')
    } finally {
      // From here on the poll finds it, should nothing have come of this.
      if (times <= MAX_REFUSALS) this.#reloading.delete(runId)
    }
  }

  /** Runs that are ours and that we do not move. A run that is made while we look is not one of them. */
  async #takeStrays(): Promise<void> {
    const { store } = this.#deps
    const known = new Set([...this.#actors.keys(), ...this.#reloading])
    this.#looking = known
    try {
      const strays = await strayRuns(store.engine, store.writer.id, [...known])
      const unknown = strays.filter(({ run_id }) => !known.has(run_id))
      if (unknown.length > 0) await this.load(unknown)
    } finally {
      this.#looking = null
    }
  }
}
