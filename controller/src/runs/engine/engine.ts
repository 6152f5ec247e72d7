import { setTimeout as delay } from 'node:timers/promises'
import type { CompiledPlan } from '../../blueprints/compiled-plan.ts'
import { errorMessage, StatewardError } from '../../lib/errors.ts'
import type { Journal, NewRun } from '../../store/journal.ts'
import type { NewEvent } from '../../store/ports.ts'
import { type RunRow, releaseRuns } from '../../store/queries/runs.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import { type CrashHook, noCrash } from '../crash-points.ts'
import {
  type EnvironmentOf,
  NO_POLICIES,
  type Purse,
  type RunFolders,
  type RunPolicies,
  type TaskDispatch,
  type ToolPermits,
  type ToolRunner,
  type ValueStore,
} from '../ports.ts'
import { type CreateRun, createFree, UNBEGUN } from '../start/create.ts'
import { PlanCache } from '../state/load.ts'
import { Wakeup } from '../wakeup.ts'
import { ActiveRuns } from './active-runs.ts'
import type { Departure, RunActor } from './actor.ts'
import { Claims } from './claims.ts'
import { type RunQuota, wakeNext } from './concurrency.ts'

export interface RunEngineDeps {
  readonly store: Store
  readonly journal: Journal
  readonly tools: ToolRunner
  readonly tasks: TaskDispatch
  /** Default: there are none. */
  readonly policies?: RunPolicies
  readonly folders: RunFolders
  /** Default: whoever started the run may. */
  readonly permits?: ToolPermits
  /** Default: any number. */
  readonly runQuota?: RunQuota
  /** Default: nothing costs anything. */
  readonly purse?: Purse
  readonly values: ValueStore
  readonly environmentOf: EnvironmentOf
  readonly crashPoint?: CrashHook
  /** A run that this process moved has ended; its end is durable. */
  readonly ended?: (runId: string) => void
  /** Chance, for the pauses between attempts; at least 0, below 1. Default Math.random. */
  readonly random?: () => number
  /** Runs this process moves at once; a run that waits is not moved and does not count. Default 1000. */
  readonly maxActive?: number
  /** The backstop for nudges that get lost: default 10,000. */
  readonly pollMs?: number
  /** How long `stop` waits for calls of tools under way; default 3000. */
  readonly stopGraceMs?: number
  /** Called by `stop` when runs were given up: another process may claim them. */
  readonly released?: () => void
}

export interface RunEngine {
  start(): void
  /** Something is durable that concerns a run (a new run, a message in its inbox). Without an id: look at everything. */
  nudge(runId?: string): void
  /** The same, said by another process: the busier this one is, the longer it lets others go first. */
  heard(runId?: string): void
  /** Nothing may begin any more: runs are given up as they stand, and taken again when it may. */
  halt(): void
  /** Makes a run and moves it at once where there is room: the run and its first move are one transition. */
  readonly create: CreateRun
  /** Runs that this process moves at this moment. */
  activeRuns(): number
  /** Claims nothing more, lets calls under way end for a while, writes down what there is and gives the runs up. */
  stop(): Promise<void>
}

const MAX_ACTIVE = 1000
const FREE: Purse = {
  limits: () => false,
  reserve: async () => ({ granted: true }),
  settle: async () => {},
}
/** A process waits a millisecond for each run it moves, and no longer than this, before it takes what another one offers. */
const LONGEST_COURTESY_MS = 20
/** How often the runs that are moved are told that time has passed; it costs no query. */
const TICK_MS = 1000
/** How long `stop` waits for the database at least, whatever the grace of calls is. */
const DATABASE_PATIENCE_MS = 1000

/** A first move that cannot be stored for one of these: the run can be all the same. */
const UNSTORABLE = ['SW_STORAGE_ERROR', 'SW_ARTIFACTS_FULL', 'SW_ARTIFACT_TOO_LARGE']

export function createRunEngine(deps: RunEngineDeps): RunEngine {
  return new Engine(deps)
}

/**
 * Claims runs that are free and due, moves each with an actor, and forgets it when it is parked or has ended. Everything
 * it knows is in the database: after a crash the next engine goes on from the last recorded step.
 */
class Engine implements RunEngine {
  readonly #deps: RunEngineDeps
  readonly #maxActive: number
  readonly #runQuota: RunQuota
  readonly #plans = new PlanCache()
  readonly #wakeup: Wakeup
  readonly #active: ActiveRuns
  readonly #claims: Claims
  #loop: Promise<void> = Promise.resolve()
  #stopping = false
  /** The last claim failed: whether it was committed is not known. */
  #failed = false
  #ticker: NodeJS.Timeout | undefined

  constructor(deps: RunEngineDeps) {
    const { store, journal, environmentOf, tools, tasks, folders, random = Math.random } = deps
    const { purse = FREE, policies = NO_POLICIES, permits = () => {}, crashPoint = noCrash } = deps
    this.#deps = deps
    this.#maxActive = deps.maxActive ?? MAX_ACTIVE
    this.#runQuota = deps.runQuota ?? (() => null)
    this.#wakeup = new Wakeup(store.clock, deps.pollMs ?? 10_000)
    this.#active = new ActiveRuns({
      store,
      journal,
      environmentOf,
      values: deps.values,
      runQuota: this.#runQuota,
      plans: this.#plans,
      context: { clock: store.clock, tools, tasks, policies, permits, folders, purse, crashPoint, random },
      departed: (actor, departure) => this.#departed(actor, departure),
    })
    this.#claims = new Claims({
      store,
      journal,
      wakeup: this.#wakeup,
      take: (rows) => {
        crashPoint('run.claimed')
        return this.#active.load(rows)
      },
    })
  }

  start(): void {
    this.#loop = this.#run()
    this.#ticker = setInterval(() => this.#active.tick(), TICK_MS)
    this.#ticker.unref()
  }

  nudge(runId?: string): void {
    this.#look(runId, 0)
  }

  heard(runId?: string): void {
    this.#look(runId, Math.min(this.#active.size, LONGEST_COURTESY_MS))
  }

  halt(): void {
    this.#active.leave()
  }

  #look(runId: string | undefined, pauseMs: number): void {
    if (runId !== undefined) this.#active.readInbox(runId)
    // Also for a run that has an actor: it may be departing at this moment, and then has to be claimed again.
    this.#claims.hint()
    if (pauseMs === 0) this.#wakeup.now()
    else this.#wakeup.at(new Date(this.#deps.store.clock.now().getTime() + pauseMs))
  }

  async create(run: NewRun, plan: CompiledPlan, event: NewEvent): Promise<'moved' | 'free'> {
    const { store, journal } = this.#deps
    await this.#plans.store(store.engine, run.plan_digest, plan, run.created_at)
    try {
      const hasPlace = this.#active.size < this.#maxActive && !this.#stopping && this.#claims.mayTake()
      if (plan.limits.concurrency === null && this.#runQuota(run.namespace) === null && hasPlace) {
        const row: RunRow = { ...run, ...UNBEGUN, owner: store.writer.id }
        const records = { row, plan, steps: [], gates: [], effects: [] }
        await this.#active.actorOf(records).create(run, event)
        return 'moved'
      }
    } catch (error) {
      journal.readmit(run.run_id)
      if (!(error instanceof StatewardError) || !UNSTORABLE.includes(error.ref)) throw error
      // What its first steps made of it cannot be stored: it is made without them, and they fail when it is claimed.
    }
    await createFree(journal, run, event)
    return 'free'
  }

  activeRuns(): number {
    return this.#active.size
  }

  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#ticker)
    this.#wakeup.now()
    const { journal, store, stopGraceMs = 3000, released = () => {} } = this.#deps
    // A database that does not answer must not keep the process; nor a grace that nobody needs any more (unreferenced).
    const patienceMs = Math.max(stopGraceMs, DATABASE_PATIENCE_MS)
    const inTime = (work: Promise<unknown>) => Promise.race([work, delay(patienceMs, undefined, { ref: false })])
    this.#active.stop()
    await inTime(this.#loop)
    // The loop may have been about to start some more.
    this.#active.stop()
    // Runs without a call under way are free from here on; nobody has to wait for the others.
    await inTime(journal.settled())
    released()
    const until = performance.now() + stopGraceMs
    while (this.#active.size > 0 && performance.now() < until) await delay(10)
    this.#active.drop(new Error('the process stops'))
    if (store.writer.isLost) return
    await inTime(journal.settled())
    journal.abandon()
    try {
      // What still runs keeps its intent without an outcome; its next owner decides what that means.
      await transact(store, (tx) => releaseRuns(tx, store.writer.id, store.clock.now()))
      released()
    } catch (error) {
      // The lease is gone, or the database: the runs become free with the lease.
      store.log.warn({ err: error }, 'runs could not be handed over')
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopping && !this.#deps.store.writer.isLost) {
      try {
        const full = await this.#claims.claim(this.#maxActive - this.#active.size)
        if (full) continue
        if (this.#wakeup.isPoll || this.#failed) await this.#active.poll()
        this.#failed = false
      } catch (error) {
        this.#failed = true
        this.#claims.hint()
        this.#claims.retrySoon()
        this.#deps.store.log.warn({ err: error }, `runs could not be claimed: ${errorMessage(error)}`)
      }
      await this.#wakeup.wait()
    }
  }

  #departed(actor: RunActor, departure: Departure): void {
    if (departure.kind === 'parked' && departure.wakeAt !== null) this.#wakeup.at(departure.wakeAt)
    if (departure.kind === 'ended') this.#deps.ended?.(actor.runId)
    if (departure.kind === 'ended' && actor.hasConcurrencyLimit) void this.#wakeNext(actor)
    // A message may have come while it was being parked; and a run may have waited for its place.
    if (departure.kind === 'parked' || this.#active.size === this.#maxActive - 1) this.#wakeup.now()
  }

  async #wakeNext(actor: RunActor): Promise<void> {
    try {
      await wakeNext(this.#deps.store, actor.blueprintUid)
      this.#wakeup.now()
    } catch (error) {
      // Held runs ask again by themselves.
      this.#deps.store.log.warn({ run_id: actor.runId, err: error }, 'a held run could not be woken')
    }
  }
}
