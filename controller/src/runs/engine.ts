import { setTimeout as delay } from 'node:timers/promises'
import type { CompiledPlan } from '../blueprints/compiled-plan.ts'
import { errorMessage, StatewardError } from '../lib/errors.ts'
import type { Journal, NewRun } from '../store/journal.ts'
import type { NewEvent } from '../store/ports.ts'
import { openInboxRows, ownedRunsWithInbox } from '../store/queries/inbox.ts'
import { claimRuns, getRun, nextWakeAt, type RunRow, releaseRuns, strayRuns } from '../store/queries/runs.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { type Departure, type Refusal, RunActor } from './actor.ts'
import { admitWithinLimits, wakeNext } from './concurrency.ts'
import { type CrashHook, noCrash } from './crash-points.ts'
import { type CreateRun, createFree, UNBEGUN } from './create.ts'
import { type LoadedRun, loadRuns, PlanCache } from './load.ts'
import type { EnvironmentOf, RunFolders, TaskDispatch, ToolRunner } from './ports.ts'
import { type RunRecords, runStateOf } from './run-state.ts'
import type { StepContext } from './steps/handler.ts'
import { Wakeup } from './wakeup.ts'

export interface RunEngineDeps {
  readonly store: Store
  readonly journal: Journal
  readonly tools: ToolRunner
  readonly tasks: TaskDispatch
  readonly folders: RunFolders
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
  /** Makes a run and moves it at once where there is room: the run and its first move are one transition. */
  readonly create: CreateRun
  /** Runs that this process moves at this moment. */
  activeRuns(): number
  /** Claims nothing more, lets calls under way end for a while, writes down what there is and gives the runs up. */
  stop(): Promise<void>
}

const MAX_ACTIVE = 1000
/** Runs claimed in one go; fewer where other processes want their share. */
const CLAIM_LIMIT = 100
const SHARED_CLAIM_LIMIT = 16
/** A process waits a millisecond for each run it moves, and no longer than this, before it takes what another one offers. */
const LONGEST_COURTESY_MS = 20
/** How often the runs that are moved are told that time has passed; it costs no query. */
const TICK_MS = 1000
/** How long `stop` waits for the database at least, whatever the grace of calls is. */
const DATABASE_PATIENCE_MS = 1000
/** How soon it looks again when a run was locked; twice as long each time. */
const LOCKED_MS = 5
/** How soon it looks again when it could not claim. */
const RETRY_MS = 1000
/** A run that cannot even record that it failed is left alone until the process starts again. */
const MAX_REFUSALS = 3

export function createRunEngine(deps: RunEngineDeps): RunEngine {
  return new Engine(deps)
}

/**
 * Claims runs that are free and due, moves each with an actor, and forgets it when it is parked or has ended. Everything
 * it knows is in the database: after a crash the next engine goes on from the last recorded step.
 */
class Engine implements RunEngine {
  readonly #deps: RunEngineDeps
  readonly #context: StepContext
  readonly #actors = new Map<string, RunActor>()
  readonly #refusals = new Map<string, number>()
  /** Runs that are being loaded again. */
  readonly #reloading = new Set<string>()
  /** While strays are looked for: every run that had an actor meanwhile. */
  #looking: Set<string> | null = null
  readonly #plans = new PlanCache()
  readonly #wakeup: Wakeup
  #loop: Promise<void> = Promise.resolve()
  #stopping = false
  /** Something is probably due: claim without looking first. */
  #nudged = false
  /** How long a run that is due and could not be claimed is left alone, in milliseconds. */
  #lockedPause = LOCKED_MS
  /** The last claim failed: whether it was committed is not known. */
  #failed = false
  #ticker: NodeJS.Timeout | undefined

  constructor(deps: RunEngineDeps) {
    this.#deps = deps
    this.#wakeup = new Wakeup(deps.store.clock, deps.pollMs ?? 10_000)
    this.#context = {
      clock: deps.store.clock,
      tools: deps.tools,
      tasks: deps.tasks,
      folders: deps.folders,
      crashPoint: deps.crashPoint ?? noCrash,
      random: deps.random ?? Math.random,
    }
  }

  start(): void {
    this.#loop = this.#run()
    this.#ticker = setInterval(() => {
      for (const actor of [...this.#actors.values()]) actor.tick()
    }, TICK_MS)
    this.#ticker.unref()
  }

  nudge(runId?: string): void {
    this.#look(runId, 0)
  }

  heard(runId?: string): void {
    this.#look(runId, Math.min(this.#actors.size, LONGEST_COURTESY_MS))
  }

  #look(runId: string | undefined, pauseMs: number): void {
    const actor = runId === undefined ? undefined : this.#actors.get(runId)
    if (actor !== undefined) void actor.readInbox()
    // Also for a run that has an actor: it may be departing at this moment, and then has to be claimed again.
    this.#nudged = true
    if (pauseMs === 0) this.#wakeup.now()
    else this.#wakeup.at(new Date(this.#deps.store.clock.now().getTime() + pauseMs))
  }

  async create(run: NewRun, plan: CompiledPlan, event: NewEvent): Promise<'moved' | 'free'> {
    const { store, journal, maxActive = MAX_ACTIVE } = this.#deps
    await this.#plans.store(store.engine, run.plan_digest, plan, run.created_at)
    try {
      if (plan.limits.concurrency === null && this.#actors.size < maxActive && this.#mayTake()) {
        const row: RunRow = { ...run, ...UNBEGUN, owner: store.writer.id }
        const records = { row, plan, steps: [], gates: [], effects: [] }
        await this.#actorOf(records).create(run, event)
        return 'moved'
      }
    } catch (error) {
      journal.readmit(run.run_id)
      if (!(error instanceof StatewardError) || error.ref !== 'SW_STORAGE_ERROR') throw error
      // What its first steps made of it cannot be stored: it is made without them, and they fail when it is claimed.
    }
    await createFree(journal, run, event)
    return 'free'
  }

  activeRuns(): number {
    return this.#actors.size
  }

  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#ticker)
    this.#wakeup.now()
    const { journal, store, stopGraceMs = 3000, released = () => {} } = this.#deps
    // A database that does not answer must not keep the process; nor a grace that nobody needs any more (unreferenced).
    const patienceMs = Math.max(stopGraceMs, DATABASE_PATIENCE_MS)
    const inTime = (work: Promise<unknown>) => Promise.race([work, delay(patienceMs, undefined, { ref: false })])
    for (const actor of this.#actors.values()) actor.stop()
    await inTime(this.#loop)
    // The loop may have been about to start some more.
    for (const actor of this.#actors.values()) actor.stop()
    // Runs without a call under way are free from here on; nobody has to wait for the others.
    await inTime(journal.settled())
    released()
    const until = performance.now() + stopGraceMs
    while (this.#actors.size > 0 && performance.now() < until) await delay(10)
    for (const actor of this.#actors.values()) actor.drop(new Error('the process stops'))
    this.#actors.clear()
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
        const full = await this.#claim()
        if (full) continue
        if (this.#wakeup.isPoll || this.#failed) await this.#poll()
        this.#failed = false
      } catch (error) {
        this.#failed = true
        this.#nudged = true
        this.#retrySoon()
        this.#deps.store.log.warn({ err: error }, `runs could not be claimed: ${errorMessage(error)}`)
      }
      await this.#wakeup.wait()
    }
  }

  /** Claims what is due. True when there may be more and there is room for it. */
  async #claim(): Promise<boolean> {
    const { store, maxActive = MAX_ACTIVE } = this.#deps
    const limit = store.writer.hasPeers ? SHARED_CLAIM_LIMIT : CLAIM_LIMIT
    const room = Math.min(maxActive - this.#actors.size, limit)
    if (room <= 0) return false
    if (!this.#mayTake()) {
      this.#retrySoon()
      return false
    }
    const now = store.clock.now()
    if (!this.#nudged && !(await this.#isSomethingDue(now))) return false
    this.#nudged = false
    const rows = await claimRuns(store.engine, store.writer.id, now, room)
    if (rows.length > 0) {
      this.#context.crashPoint('run.claimed')
      await this.#load(rows, null)
      this.#lockedPause = LOCKED_MS
      if (rows.length === room) return room === limit
    }
    await this.#lookAhead()
    return false
  }

  /**
   * When the next free run is due. One that is due already, and was not to be claimed, is locked at this moment: by another
   * claim, or by whoever writes something to its inbox, or was refused to. It is asked for again, less and less often.
   */
  async #lookAhead(): Promise<void> {
    const { store } = this.#deps
    const next = await nextWakeAt(store.engine)
    const now = store.clock.now()
    if (next === null || next > now) {
      this.#lockedPause = LOCKED_MS
      if (next !== null) this.#wakeup.at(next)
      return
    }
    this.#wakeup.at(new Date(now.getTime() + this.#lockedPause))
    this.#lockedPause = Math.min(this.#lockedPause * 2, RETRY_MS)
  }

  #retrySoon(): void {
    this.#wakeup.at(new Date(this.#deps.store.clock.now().getTime() + RETRY_MS))
  }

  /** Whether this process may take runs at all: Postgres keeps up, the lease is not in doubt. */
  #mayTake(): boolean {
    const { store, journal } = this.#deps
    return !this.#stopping && !journal.isFull && store.writer.canStartEffects()
  }

  /** A look before the claim: with nothing due, nothing is written and nothing locked. */
  async #isSomethingDue(now: Date): Promise<boolean> {
    const next = await nextWakeAt(this.#deps.store.engine)
    if (next === null || next <= now) return next !== null
    this.#wakeup.at(next)
    return false
  }

  async #load(rows: readonly RunRow[], refusal: Refusal | null): Promise<void> {
    const { store, journal } = this.#deps
    try {
      const loaded = await admitWithinLimits(store, await loadRuns(store.engine, this.#plans, rows))
      for (const run of loaded) {
        journal.readmit(run.records.row.run_id)
        this.#start(run, refusal)
      }
    } catch (error) {
      // They are ours in the database and nobody moves them: give them back, to be tried again.
      store.log.error({ runs: rows.map((row) => row.run_id), err: error }, 'claimed runs could not be loaded')
      const later = new Date(store.clock.now().getTime() + 5000)
      await transact(store, (tx) =>
        releaseRuns(
          tx,
          store.writer.id,
          later,
          rows.map((row) => row.run_id),
        ),
      )
    }
  }

  #start({ records, messages }: LoadedRun, refusal: Refusal | null): void {
    this.#actorOf(records).begin(messages, refusal)
  }

  #actorOf(records: RunRecords): RunActor {
    const { store, journal, environmentOf } = this.#deps
    const { row } = records
    const environment = environmentOf(row.namespace)
    const actor: RunActor = new RunActor(runStateOf(records, environment), {
      journal,
      context: this.#context,
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

  #departed(actor: RunActor, departure: Departure): void {
    const { runId } = actor
    // A parked run may have been claimed again before we heard that it was parked.
    if (this.#actors.get(runId) === actor) this.#actors.delete(runId)
    if (departure.kind === 'parked' || departure.kind === 'ended') this.#refusals.delete(runId)
    if (departure.kind === 'parked' && departure.wakeAt !== null) this.#wakeup.at(departure.wakeAt)
    if (departure.kind === 'refused') void this.#reload(runId, departure)
    if (departure.kind === 'ended') this.#deps.ended?.(runId)
    if (departure.kind === 'ended' && actor.hasConcurrencyLimit) void this.#wakeNext(actor)
    // A message may have come while it was being parked; and a run may have waited for its place.
    const { maxActive = MAX_ACTIVE } = this.#deps
    if (departure.kind === 'parked' || this.#actors.size === maxActive - 1) this.#wakeup.now()
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
      await this.#load([row], stale ? null : { blame, error, times })
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
      if (unknown.length > 0) await this.#load(unknown, null)
    } finally {
      this.#looking = null
    }
  }

  /** What nobody told us: runs whose claim we never heard of, and messages of runs we move. */
  async #poll(): Promise<void> {
    const { store } = this.#deps
    await this.#takeStrays()
    if (this.#actors.size === 0) return
    const withInbox = await ownedRunsWithInbox(store.engine, store.writer.id)
    for (const runId of withInbox) void this.#actors.get(runId)?.readInbox()
  }
}
