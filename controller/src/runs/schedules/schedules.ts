import { scheduleTrigger } from '../../blueprints/compile-triggers.ts'
import type { CompiledSchedule } from '../../blueprints/compiled-plan.ts'
import { errorMessage } from '../../lib/errors.ts'
import { allSchedules, deleteSchedule, insertSchedule, suspendSchedule } from '../../store/queries/schedules.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import { type CrashHook, noCrash } from '../crash-points.ts'
import type { AcceptedBlueprint, Blueprints, EnvironmentOf, ToolRunner } from '../ports.ts'
import { Wakeup } from '../wakeup.ts'
import { fireSchedule, skipSchedule } from './fire-schedule.ts'
import { decideSchedule, type ScheduleState } from './schedule-decision.ts'

export interface SchedulesDeps {
  readonly store: Store
  readonly blueprints: Blueprints
  readonly environmentOf: EnvironmentOf
  /** Knows what steps cost: runs that cost more than they may are not made. */
  readonly tools?: Pick<ToolRunner, 'find'>
  /** Runs were created, or got a message: called after the commit. */
  readonly changed: (runIds: readonly string[]) => void
  /** A blueprint's schedules are held back by its limits, or no more (null). */
  readonly held?: (blueprint: AcceptedBlueprint, message: string | null) => void
  readonly crashPoint?: CrashHook
  /** How often the clock is looked at, should it be set; default 1000. */
  readonly pollMs?: number
}

export interface ScheduleTimes {
  readonly next: Date | null
  readonly last: Date | null
}

export interface Schedules {
  /** Begin only when the blueprints are those of the last accepted revision: a schedule that is not there is forgotten. */
  start(): void
  /** Blueprints have changed. */
  nudge(): void
  /** The next time any schedule of a blueprint is due, and the last one that started a run; null when it has none. */
  times(blueprintUid: string): ScheduleTimes | null
  stop(): Promise<void>
}

interface Due {
  readonly blueprint: AcceptedBlueprint
  readonly schedule: CompiledSchedule
  readonly trigger: string
}

interface Held {
  readonly blueprint: AcceptedBlueprint
  readonly message: string
}

const SEPARATOR = ' '

export function createSchedules(deps: SchedulesDeps): Schedules {
  return new Scheduler(deps)
}

/**
 * Starts the runs that are due by the clock. How far each schedule has come is a row that moves in the transaction that
 * inserts the run, and the run's key holds the scheduled time: a time starts one run, across restarts and takeovers.
 * Only the leader runs it; two of them would stand in each other's way but start nothing twice (`moveSchedule`).
 */
class Scheduler implements Schedules {
  readonly #deps: SchedulesDeps
  readonly #wakeup: Wakeup
  readonly #crashPoint: CrashHook
  #loop: Promise<void> = Promise.resolve()
  #stopping = false
  /** By blueprint and trigger; null = to be read. */
  #states: Map<string, ScheduleState> | null = null
  #times = new Map<string, ScheduleTimes>()
  readonly #holding = new Map<string, Held>()
  #told: ReadonlyMap<string, Held> = new Map()

  constructor(deps: SchedulesDeps) {
    this.#deps = deps
    this.#wakeup = new Wakeup(deps.store.clock, deps.pollMs ?? 1000)
    this.#crashPoint = deps.crashPoint ?? noCrash
  }

  start(): void {
    this.#loop = this.#run()
  }

  nudge(): void {
    this.#wakeup.now()
  }

  times(blueprintUid: string): ScheduleTimes | null {
    return this.#times.get(blueprintUid) ?? null
  }

  async stop(): Promise<void> {
    this.#stopping = true
    this.#wakeup.now()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { store } = this.#deps
    while (!this.#stopping && !store.writer.isLost) {
      try {
        if (!store.writer.isHalted) await this.#pass()
      } catch (error) {
        // Nothing was committed, or we do not know: the rows are read again and tell.
        this.#states = null
        store.log.warn({ err: error }, `schedules could not be worked on: ${errorMessage(error)}`)
      }
      if (!this.#stopping) await this.#wakeup.wait()
    }
  }

  async #pass(): Promise<void> {
    const wanted = this.#wanted()
    this.#holding.clear()
    const states = this.#states ?? (await this.#read())
    this.#states = states
    await this.#forgetOthers(states, wanted)
    const times = new Map<string, ScheduleTimes>()
    for (const [key, due] of wanted) {
      const next = await this.#advance(states, key, due)
      if (next !== null) this.#wakeup.at(next)
      const before = times.get(due.blueprint.uid)
      times.set(due.blueprint.uid, {
        next: earliest(before?.next ?? null, next),
        last: latest(before?.last ?? null, states.get(key)?.lastFired ?? null),
      })
    }
    this.#times = times
    this.#tellHeld()
  }

  #hold(blueprint: AcceptedBlueprint, message: string): void {
    this.#holding.set(blueprint.uid, { blueprint, message })
  }

  #tellHeld(): void {
    const { held } = this.#deps
    for (const [uid, { blueprint }] of this.#told) if (!this.#holding.has(uid)) held?.(blueprint, null)
    for (const { blueprint, message } of this.#holding.values()) held?.(blueprint, message)
    this.#told = new Map(this.#holding)
  }

  #wanted(): ReadonlyMap<string, Due> {
    const wanted = new Map<string, Due>()
    for (const blueprint of this.#deps.blueprints.all()) {
      for (const schedule of blueprint.plan.schedules) {
        const trigger = scheduleTrigger(schedule)
        wanted.set(keyOf(blueprint.uid, trigger), { blueprint, schedule, trigger })
      }
    }
    return wanted
  }

  async #read(): Promise<Map<string, ScheduleState>> {
    const rows = await allSchedules(this.#deps.store.engine)
    return new Map(
      rows.map(({ blueprint_uid, trigger, last_time, last_fired, suspended }) => [
        keyOf(blueprint_uid, trigger),
        { lastTime: last_time, lastFired: last_fired, suspended },
      ]),
    )
  }

  /** A schedule that a blueprint does not have any more: should it come back, it begins anew. */
  async #forgetOthers(states: Map<string, ScheduleState>, wanted: ReadonlyMap<string, Due>): Promise<void> {
    const accepted = new Set(this.#deps.blueprints.all().map(({ uid }) => uid))
    for (const key of states.keys()) {
      const blueprintUid = key.split(SEPARATOR, 1)[0]!
      // One that is not accepted at this moment may be again.
      if (wanted.has(key) || !accepted.has(blueprintUid)) continue
      const trigger = key.slice(blueprintUid.length + 1)
      await transact(this.#deps.store, (tx) => deleteSchedule(tx, { blueprintUid, trigger }))
      states.delete(key)
    }
  }

  /** Does what is due, and says when something will be. */
  async #advance(states: Map<string, ScheduleState>, key: string, due: Due): Promise<Date | null> {
    const { store } = this.#deps
    const { blueprint, schedule, trigger } = due
    const identity = { blueprintUid: blueprint.uid, trigger }
    const now = store.clock.now()
    const state = states.get(key)
    if (state === undefined) {
      await transact(store, (tx) => insertSchedule(tx, identity, now, blueprint.suspended))
      states.set(key, { lastTime: now, lastFired: null, suspended: blueprint.suspended })
      return this.#advance(states, key, due)
    }
    const decision = decideSchedule(schedule, state, blueprint.suspended, now)
    switch (decision.kind) {
      case 'wait':
        return decision.next
      case 'suspend': {
        await transact(store, (tx) => suspendSchedule(tx, identity, decision.suspended, now))
        const lastTime = state.lastTime > now ? state.lastTime : now
        states.set(key, { ...state, lastTime, suspended: decision.suspended })
        break
      }
      case 'skip':
        await skipSchedule(this.#deps, due, state, decision)
        states.set(key, { ...state, lastTime: decision.to })
        break
      case 'fire': {
        const result = await fireSchedule({ ...this.#deps, crashPoint: this.#crashPoint }, due, state, decision)
        // It stays due, and its deadline decides how long.
        if (result.kind === 'held') {
          this.#hold(blueprint, result.hold.message)
          return result.hold.retryAt
        }
        const lastFired = result.kind === 'fired' ? decision.at : state.lastFired
        states.set(key, { ...state, lastTime: decision.at, lastFired })
        break
      }
    }
    return this.#advance(states, key, due)
  }
}

function keyOf(blueprintUid: string, trigger: string): string {
  return `${blueprintUid}${SEPARATOR}${trigger}`
}

function earliest(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b
  return a < b ? a : b
}

function latest(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b
  return a > b ? a : b
}
