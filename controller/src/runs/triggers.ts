import type { EventName } from '../events/catalogue.ts'
import { errorMessage } from '../lib/errors.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Tx } from '../store/database.ts'
import { sqlState } from '../store/database-errors.ts'
import { appendEvents, logHead } from '../store/log.ts'
import type { LoggedEvent, NewEvent } from '../store/ports.ts'
import { consumerPosition, moveConsumer, readEventsBetween } from '../store/queries/consumers.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { type CrashHook, noCrash } from './crash-points.ts'
import { createRun } from './create.ts'
import type { Blueprints, EnvironmentOf } from './ports.ts'
import { type MismatchNote, type Triggered, triggeredBy } from './trigger-match.ts'
import { Wakeup } from './wakeup.ts'

export interface TriggersDeps {
  readonly store: Store
  readonly blueprints: Blueprints
  readonly environmentOf: EnvironmentOf
  /** Runs were created: called after the commit. */
  readonly created: (runIds: readonly string[]) => void
  /** An event that a filter could not be applied to. */
  readonly mismatch?: (note: MismatchNote) => void
  readonly crashPoint?: CrashHook
  /** Backstop for nudges that get lost; default 1000. */
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
/** The cursor is written when there was an event to match, else only when it is this far behind. */
const MAX_LAG = 10_000

export function createTriggers(deps: TriggersDeps): Triggers {
  return new TriggerConsumer(deps)
}

/**
 * Starts the runs that events ask for. Reads the log behind its cursor; the runs of a batch of events and the step of the
 * cursor are one transaction, so each event starts each of its runs exactly once, whoever posted it and whatever crashes.
 * Only the leader runs it; two of them would stand in each other's way but start nothing twice (`moveConsumer`).
 */
class TriggerConsumer implements Triggers {
  readonly #deps: TriggersDeps
  readonly #wakeup: Wakeup
  readonly #crashPoint: CrashHook
  #loop: Promise<void> = Promise.resolve()
  #stopping = false
  /** Where the cursor stands in the database; null = not known yet. */
  #saved: number | null = null
  #position = 0

  constructor(deps: TriggersDeps) {
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

  async stop(): Promise<void> {
    this.#stopping = true
    this.#wakeup.now()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { store } = this.#deps
    while (!this.#stopping && !store.writer.isLost) {
      try {
        if (await this.#read()) continue
      } catch (error) {
        // Nothing was committed, or we do not know: the cursor is read again and tells.
        this.#saved = null
        store.log.warn({ err: error }, `events could not be matched: ${errorMessage(error)}`)
      }
      await this.#wakeup.wait()
    }
  }

  /** One batch of events. True when there are more. */
  async #read(): Promise<boolean> {
    const { store } = this.#deps
    if (this.#saved === null) {
      this.#saved = await transact(store, (tx) => consumerPosition(tx, CONSUMER))
      this.#position = this.#saved
    }
    const head = await logHead(store.engine)
    if (head.seq <= this.#position) return false
    const events = await readEventsBetween(store.engine, {
      after: this.#position,
      upTo: head.seq,
      own: this.#wantsOurOwn(),
      limit: BATCH,
    })
    const more = events.length === BATCH
    const to = more ? events.at(-1)!.seq : head.seq
    if (events.length > 0) await this.#take(events, to)
    else if (to - this.#saved > MAX_LAG) await this.#commit([], to)
    this.#position = to
    return more
  }

  #wantsOurOwn(): boolean {
    return this.#deps.blueprints
      .all()
      .some((blueprint) => blueprint.plan.triggers.some(({ event }) => event.startsWith('stateward.')))
  }

  async #take(events: readonly LoggedEvent[], to: number): Promise<void> {
    const { blueprints, environmentOf, mismatch, store } = this.#deps
    const accepted = blueprints.all()
    const triggered: Triggered[] = []
    for (const event of events) {
      const result = triggeredBy(event, accepted, environmentOf)
      triggered.push(...result.triggered)
      for (const note of result.notes) mismatch?.(note)
    }
    try {
      await this.#commit(triggered, to)
    } catch (error) {
      const state = sqlState(error)
      if (state === null || !['22', '23', '54'].some((category) => state.startsWith(category))) throw error
      // One of them cannot be stored. Alone, each either starts its run or says why not; none holds up the others.
      if (triggered.length === 1) await this.#commit([unstorable(triggered[0]!, error)], to)
      else
        for (const [i, one] of triggered.entries())
          await this.#commitAlone(one, i === triggered.length - 1 ? to : this.#saved!)
      store.log.error({ err: error }, 'the runs of an event could not be stored')
    }
  }

  /** With the cursor where it is until the last one: a crash in between meets the runs that are there, by their unique key. */
  async #commitAlone(one: Triggered, to: number): Promise<void> {
    try {
      await this.#commit([one], to)
    } catch (error) {
      if (sqlState(error) === null) throw error
      await this.#commit([unstorable(one, error)], to)
    }
  }

  async #commit(triggered: readonly Triggered[], to: number): Promise<void> {
    const { store, created, environmentOf } = this.#deps
    const runIds = await transact(store, async (tx) => {
      if (!(await moveConsumer(tx, CONSUMER, this.#saved!, to))) throw new Error('another process reads the events')
      const made: string[] = []
      const events: NewEvent[] = []
      for (const one of triggered) {
        const event = await this.#record(tx, one, environmentOf)
        if (event.made !== null) made.push(event.made)
        if (event.event !== null) events.push(event.event)
      }
      if (events.length > 0) await appendEvents(tx, store, events)
      this.#crashPoint('trigger.before_commit')
      return made
    })
    this.#saved = to
    this.#crashPoint('trigger.after_commit')
    if (runIds.length > 0) created(runIds)
  }

  async #record(
    tx: Tx,
    one: Triggered,
    environmentOf: EnvironmentOf,
  ): Promise<{ readonly made: string | null; readonly event: NewEvent | null }> {
    const now = this.#deps.store.clock.now()
    if (one.kind === 'refused') {
      const { blueprint, trigger, event, problems } = one
      const data = {
        blueprint: blueprint.name,
        trigger,
        event_id: event.event_id,
        event_name: event.event_name,
        problems,
      }
      return {
        made: null,
        event: triggerEvent('refused', now, event, blueprint.uid, environmentOf(blueprint.namespace).id, data),
      }
    }
    const { request } = one
    const result = await createRun(tx, now, request)
    if (result.kind === 'created') return { made: result.runId, event: result.event }
    // The very same event came by before: that run is what this one asks for.
    if (result.why === 'trigger') return { made: null, event: null }
    const { blueprint, event, dedupeKey, trigger } = request
    const data = {
      blueprint: blueprint.name,
      trigger,
      event_id: event!.id,
      dedupe_key: dedupeKey,
      run: result.name,
      run_id: result.runId,
    }
    const cause = { actor: request.actor, correlation_id: request.correlationId }
    return { made: null, event: triggerEvent('deduplicated', now, cause, blueprint.uid, request.envId, data) }
  }
}

function triggerEvent(
  verb: 'refused' | 'deduplicated',
  now: Date,
  cause: { readonly actor: string; readonly correlation_id: string },
  blueprintUid: string,
  envId: string,
  data: JsonObject,
): NewEvent {
  return {
    event_id: uuidv7(now.getTime()),
    event_name: `stateward.run.${verb}` satisfies EventName,
    occurred_at: now,
    env_id: envId,
    actor: cause.actor,
    correlation_id: cause.correlation_id,
    resource: { type: 'Blueprint', id: blueprintUid },
    data,
  }
}

function unstorable(one: Triggered, error: unknown): Triggered {
  if (one.kind === 'refused') return { ...one, problems: [{ message: errorMessage(error) }] }
  const { blueprint, trigger, event, actor, correlationId } = one.request
  const { id, name, time, resource, data } = event!
  return {
    kind: 'refused',
    blueprint,
    trigger,
    event: {
      seq: 0,
      event_id: id,
      event_name: name,
      occurred_at: time,
      env_id: one.request.envId,
      actor,
      correlation_id: correlationId,
      run_id: null,
      step_id: null,
      resource,
      data,
    },
    problems: [{ message: `the run could not be stored: ${errorMessage(error)}` }],
  }
}
