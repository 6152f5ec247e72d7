import { setTimeout as delay } from 'node:timers/promises'
import { errorMessage } from '../../lib/errors.ts'
import { globPattern } from '../../lib/glob.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Tx } from '../../store/database.ts'
import { sqlState } from '../../store/database-errors.ts'
import { appendEvents } from '../../store/log.ts'
import type { LoggedEvent, NewEvent } from '../../store/ports.ts'
import { consumerPosition, moveConsumer, readLogBehind } from '../../store/queries/consumers.ts'
import { insertInboxRow } from '../../store/queries/inbox.ts'
import { takeWait, waitsFor } from '../../store/queries/waits.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import { type CrashHook, noCrash } from '../crash-points.ts'
import type { AcceptedBlueprint, Blueprints, EnvironmentOf, ToolRunner } from '../ports.ts'
import type { CreateRun } from '../start/create.ts'
import { Wakeup } from '../wakeup.ts'
import { HeldTriggers } from './held-triggers.ts'
import { isUnstorable, recordTriggered, unstorable } from './record-triggered.ts'
import { startAtOnce } from './start-at-once.ts'
import { type MismatchNote, type Triggered, triggeredBy } from './trigger-match.ts'
import { type Delivery, deliveriesOf } from './wait-match.ts'

export interface TriggersDeps {
  readonly store: Store
  readonly blueprints: Blueprints
  readonly environmentOf: EnvironmentOf
  /** Knows what steps cost: runs that cost more than they may are not made. Left out, nobody does. */
  readonly tools?: Pick<ToolRunner, 'find'>
  /**
   * Makes a run with its first move, before the cursor moves. Left out = runs are made in the transaction that moves it, and
   * whoever is free claims them.
   */
  readonly create?: CreateRun
  /** Runs were created that nobody moves yet, or got the event they wait for: called after the commit. */
  readonly created: (runIds: readonly string[]) => void
  /** An event that a filter could not be applied to. */
  readonly mismatch?: (note: MismatchNote) => void
  /** Events for a blueprint are held back by its limits, or no more (null). */
  readonly held?: (blueprint: AcceptedBlueprint, message: string | null) => void
  readonly crashPoint?: CrashHook
  /** Backstop for nudges that get lost; default 10,000. */
  readonly pollMs?: number
}

export interface Triggers {
  /** Begin only when the blueprints are those of the last accepted revision: an event is matched once, with what is there. */
  start(): void
  /** The log has grown. */
  nudge(): void
  stop(): Promise<void>
}

const CONSUMER = 'triggers'
const BATCH = 500
/** The cursor is written when an event asked for something, else only when it is this far behind, or after a moment. */
const MAX_LAG = 10_000
/** Events that asked for nothing wait so long for the cursor to be written for all of them. */
const LAG_MS = 250
/** Between looks at events that come fast and ask for nothing: one look at many costs what one look at few does. */
const PACE_MS = 10

export function createTriggers(deps: TriggersDeps): Triggers {
  return new TriggerConsumer(deps)
}

/**
 * Starts the runs that events ask for, and hands events to the steps that wait for them. Reads the log behind its cursor;
 * the runs of a batch of events are made before the cursor has moved, most of them in the transaction that moves it, and a
 * run's key holds its event: each event starts each of its runs exactly once, whoever posted it and whatever crashes.
 * Only the leader runs it; two of them would stand in each other's way but start nothing twice (`moveConsumer`).
 */
class TriggerConsumer implements Triggers {
  readonly #deps: TriggersDeps
  readonly #wakeup: Wakeup
  readonly #crashPoint: CrashHook
  readonly #held: HeldTriggers
  #loop: Promise<void> = Promise.resolve()
  #stopping = false
  /** Where the cursor stands in the database; null = not known yet. */
  #saved: number | null = null
  #position = 0
  /** False while events are read that whoever read them before may have started runs of. */
  #areNew = false
  /** Since when the cursor has not been written for events that asked for nothing. */
  #lagsSince: number | null = null
  /** When events were last read that asked for nothing. */
  #inVainAt: number | null = null

  constructor(deps: TriggersDeps) {
    this.#deps = deps
    this.#wakeup = new Wakeup(deps.store.clock, deps.pollMs ?? 10_000)
    this.#crashPoint = deps.crashPoint ?? noCrash
    this.#held = new HeldTriggers({ ...deps, crashPoint: this.#crashPoint, wakeAt: (time) => this.#wakeup.at(time) })
  }

  start(): void {
    this.#loop = this.#run()
  }

  nudge(): void {
    this.#wakeup.now()
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
        // What comes while the fleet is halted is read when it goes on.
        if (!store.writer.isHalted) {
          if (await this.#read()) continue
          await this.#held.deliver()
        }
      } catch (error) {
        // Nothing was committed, or we do not know: the cursor is read again and tells.
        this.#saved = null
        this.#lagsSince = null
        this.#held.forget()
        store.log.warn({ err: error }, `events could not be matched: ${errorMessage(error)}`)
      }
      await this.#wakeup.wait()
      await this.#pace()
    }
    await this.#catchUp()
  }

  /** What comes soon after events that asked for nothing is gathered; what comes after a silence is read at once. */
  async #pace(): Promise<void> {
    if (this.#inVainAt === null || this.#stopping) return
    const left = this.#inVainAt + PACE_MS - this.#deps.store.clock.monotonicMs()
    if (left > 0) await delay(left)
  }

  /** Writes the cursor where it has got to. Whoever takes over reads on from there. */
  async #catchUp(): Promise<void> {
    const { store } = this.#deps
    if (this.#lagsSince === null || this.#saved === null || store.writer.isLost) return
    try {
      await this.#commit([], [], this.#position)
    } catch (error) {
      store.log.warn({ err: error }, 'the cursor of the triggers is a little behind; the last events are read again')
    }
  }

  /** One batch of events. True when there are more. */
  async #read(): Promise<boolean> {
    const { store } = this.#deps
    if (this.#saved === null) {
      this.#saved = await transact(store, (tx) => consumerPosition(tx, CONSUMER))
      this.#position = this.#saved
      this.#areNew = false
    }
    const names = this.#deps.blueprints.all().flatMap(({ plan }) => plan.triggers.map(({ event }) => event))
    const { head, events, hasMoved, areAwaited } = await readLogBehind(store.engine, {
      after: this.#position,
      own: names.some((name) => name.startsWith('stateward.')),
      pattern: globPattern(names) ?? '^$',
      limit: BATCH,
    })
    if (head <= this.#position) {
      if (this.#lagsSince !== null && !this.#mayLag(this.#position)) await this.#commit([], [], this.#position)
      this.#areNew = true
      return false
    }
    this.#inVainAt = null
    const more = events.length === BATCH
    const to = more ? events.at(-1)!.seq : head
    if (events.length > 0) await this.#take(events, areAwaited, to)
    else {
      this.#inVainAt = store.clock.monotonicMs()
      // What nobody asks for at this moment is passed by for good; of what is only ours that needs no word.
      if (hasMoved ? !this.#mayLag(to) : to - this.#saved > MAX_LAG) await this.#commit([], [], to)
    }
    this.#position = to
    if (!more) this.#areNew = true
    return more
  }

  async #take(events: readonly LoggedEvent[], areAwaited: boolean, to: number): Promise<void> {
    const { blueprints, create, environmentOf, mismatch, store, tools } = this.#deps
    const accepted = blueprints.all()
    const asked: Triggered[] = []
    for (const event of events) {
      const result = triggeredBy(event, accepted, environmentOf, tools)
      asked.push(...result.triggered)
      for (const note of result.notes) mismatch?.(note)
    }
    const triggered =
      create === undefined || !this.#areNew ? asked : await startAtOnce({ ...this.#deps, create }, asked)
    // Read after the events: a wait that began before one of them is there.
    const names = [...new Set(events.map(({ event_name }) => event_name))]
    const deliveries = areAwaited ? deliveriesOf(events, await waitsFor(store.engine, names)) : []
    if (asked.length === 0 && deliveries.length === 0) {
      this.#inVainAt = store.clock.monotonicMs()
      if (this.#mayLag(to)) return
    }
    try {
      await this.#commit(triggered, deliveries, to)
    } catch (error) {
      if (!isUnstorable(error)) throw error
      // One of them cannot be stored. Alone, each either starts its run or says why not; none holds up the others.
      for (const one of triggered) await this.#commitAlone(one)
      await this.#commit([], deliveries, to)
      store.log.error({ err: error }, 'the runs of an event could not be stored')
    }
  }

  /** Events that come fast and start nothing cost no commit each: that would be one for every batch of the log. */
  #mayLag(to: number): boolean {
    const { clock } = this.#deps.store
    if (to - this.#saved! > MAX_LAG) return false
    const now = clock.monotonicMs()
    this.#lagsSince ??= now
    if (now - this.#lagsSince >= LAG_MS) return false
    this.#wakeup.at(new Date(clock.now().getTime() + LAG_MS))
    return true
  }

  /** With the cursor where it is: a crash in between meets the runs that are there, by their unique key. */
  async #commitAlone(one: Triggered): Promise<void> {
    try {
      await this.#commit([one], [], this.#saved!)
    } catch (error) {
      if (sqlState(error) === null) throw error
      await this.#commit([unstorable(one, error)], [], this.#saved!)
    }
  }

  async #commit(triggered: readonly Triggered[], deliveries: readonly Delivery[], to: number): Promise<void> {
    const { store, created } = this.#deps
    const runIds = await transact(store, async (tx) => {
      // Sent together: whether the cursor was ours to move is decided on before the commit.
      const [moved, recorded] = await Promise.all([
        moveConsumer(tx, CONSUMER, this.#saved!, to),
        this.#record(tx, triggered, deliveries),
      ])
      if (!moved) throw new Error('another process reads the events')
      if (recorded.events.length > 0) await appendEvents(tx, store, recorded.events)
      this.#crashPoint('trigger.before_commit')
      return recorded.runIds
    })
    this.#saved = to
    this.#lagsSince = null
    this.#held.committed()
    this.#crashPoint('trigger.after_commit')
    if (runIds.length > 0) created(runIds)
  }

  async #record(
    tx: Tx,
    triggered: readonly Triggered[],
    deliveries: readonly Delivery[],
  ): Promise<{ readonly runIds: readonly string[]; readonly events: readonly NewEvent[] }> {
    const { store, environmentOf } = this.#deps
    const runIds: string[] = []
    const events: NewEvent[] = []
    for (const delivery of deliveries) if (await this.#deliver(tx, delivery)) runIds.push(delivery.wait.run_id)
    for (const one of triggered) {
      const held = await this.#held.hold(tx, one)
      if (held !== null) {
        events.push(held)
        continue
      }
      const { made, event } = await recordTriggered(tx, store.clock.now(), one, environmentOf)
      if (made !== null) runIds.push(made)
      if (event !== null) events.push(event)
    }
    return { runIds, events }
  }

  /** The run's message takes the place of its wait. False when the step waits no more. */
  async #deliver(tx: Tx, { wait, event, actor }: Delivery): Promise<boolean> {
    if (!(await takeWait(tx, wait))) return false
    const now = this.#deps.store.clock.now()
    return insertInboxRow(tx, {
      id: uuidv7(now.getTime()),
      run_id: wait.run_id,
      kind: 'event',
      path: wait.path,
      payload: event as unknown as JsonObject,
      actor,
      created_at: now,
    })
  }
}
