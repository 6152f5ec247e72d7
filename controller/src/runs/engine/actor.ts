import { fail } from '../../lib/error-catalogue.ts'
import { StatewardError } from '../../lib/errors.ts'
import type { Journal, NewRun } from '../../store/journal.ts'
import type { Log, NewEvent } from '../../store/ports.ts'
import type { InboxRow } from '../../store/queries/inbox.ts'
import { advance, end, resumeSteps, takeMessages } from '../advance/advance.ts'
import { park, unpark } from '../advance/park.ts'
import { restoreNests } from '../advance/restore-nests.ts'
import { type Call, Move } from '../move/move.ts'
import type { ValueStore } from '../ports.ts'
import type { RunState } from '../state/run-state.ts'
import { stepAt } from '../state/running.ts'
import { stepError } from '../state/step-error.ts'
import type { StepContext } from '../steps/handler.ts'
import { OrderedWrites } from './ordered-writes.ts'

/** What became of a run that left its actor. */
export type Departure =
  /** Durable: it has ended, or it is parked until `wakeAt` (null = its inbox). */
  | { readonly kind: 'ended' }
  | { readonly kind: 'parked'; readonly wakeAt: Date | null }
  /** A move was refused; what is in the database counts. `blame`: the step that made the move, null = the run. */
  | { readonly kind: 'refused'; readonly blame: string | null; readonly error: unknown }
  /** The lease is lost: nothing is to be done. */
  | { readonly kind: 'gone' }

export interface ActorDeps {
  readonly journal: Journal
  readonly values: ValueStore
  readonly context: StepContext
  readonly log: Log
  readonly envId: string
  /** False while the lease is in doubt. */
  readonly mayStartEffects: () => boolean
  readonly inbox: (runId: string) => Promise<{ readonly signals: number; readonly messages: readonly InboxRow[] }>
  readonly departed: (departure: Departure) => void
}

/** A move that the database refused, to be answered for by whoever loads the run again. */
export interface Refusal {
  readonly blame: string | null
  readonly error: unknown
  /** How often in a row this run was refused. */
  readonly times: number
}

/** How often a call asks again whether it may start while the lease is in doubt. */
const LEASE_POLL_MS = 250

/**
 * One run while this process owns it. Every change is a move that goes through the journal; calls of tools begin when the
 * move that records their intent is durable, and what they return is the next move. A call without effects begins at once,
 * and what it returns in the same turn of the event loop is part of the move that began it. When nothing is left to do here, the
 * run is parked or has ended, in that very move, and the actor departs.
 */
export class RunActor {
  readonly #run: RunState
  readonly #deps: ActorDeps
  readonly #controllers = new Map<string, AbortController>()
  /** Calls that were told to stop; those that have not begun yet are told when they do. */
  readonly #aborted = new Map<string, Error>()
  /** No more moves: the last one is on its way, or the run is lost. */
  #closed = false
  /** The process ends: nothing new starts. */
  #stopping = false
  #readers = 0
  /** A move that waits for the rest of this turn of the event loop: what happens meanwhile becomes part of it. */
  #open: Move | null = null
  /** The steps of calls that the open move waits for. */
  readonly #early = new Set<string>()
  readonly #writes: OrderedWrites
  /** The run is somebody else's, or is to be loaded again: later refusals say nothing new. */
  #gone = false
  /** Tells whoever asked for the run that it could not be made. */
  #creating: ((error: unknown) => void) | null = null

  constructor(run: RunState, deps: ActorDeps) {
    this.#run = run
    this.#deps = deps
    this.#writes = new OrderedWrites(deps.journal, deps.values)
  }

  get runId(): string {
    return this.#run.row.run_id
  }

  get blueprintUid(): string {
    return this.#run.row.blueprint_uid
  }

  get hasConcurrencyLimit(): boolean {
    return this.#run.plan.limits.concurrency !== null
  }

  /** The first move: picks up what ran, takes what came. */
  begin(messages: readonly InboxRow[], refusal: Refusal | null): void {
    this.#move((move) => {
      restoreNests(move)
      unpark(move)
      if (refusal !== null) answerRefusal(move, refusal)
      takeMessages(move, messages, this.#deps.context)
      resumeSteps(move, this.#deps.context)
    })
  }

  /** The first move of a run that does not exist yet; resolves when it does. Rejects when it could not be stored. */
  create(row: NewRun, event: NewEvent): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#creating = reject
    this.#move((move) => {
      move.createRun(row, event)
      move.whenDurable.push(resolve)
    })
    return promise
  }

  /** Something may have come to the inbox. */
  async readInbox(): Promise<void> {
    if (this.#closed) return
    this.#readers += 1
    try {
      const { signals, messages } = await this.#deps.inbox(this.runId)
      this.#readers -= 1
      this.#move((move) => {
        this.#run.signals = signals
        takeMessages(move, messages, this.#deps.context)
      })
    } catch (error) {
      // The next poll reads again; the rows stay where they are.
      this.#readers -= 1
      this.#deps.log.warn({ run_id: this.runId, err: error }, 'the inbox of a run could not be read')
      this.#move(() => {})
    }
  }

  /** Time has passed. */
  tick(): void {
    this.#move(() => {})
  }

  /** Starts nothing new; gives the run up when its calls have ended. */
  stop(): void {
    this.#stopping = true
    this.tick()
  }

  /** Leaves the run as the database has it. Outcomes of calls under way are not recorded any more. */
  drop(reason: Error): void {
    this.#closed = true
    for (const controller of this.#controllers.values()) controller.abort(reason)
  }

  #move(change: (move: Move) => void): void {
    if (this.#closed) return
    const move = this.#open ?? new Move(this.#run, this.#deps.context.clock.now(), this.#deps.envId)
    move.startsNothing = this.#stopping
    try {
      change(move)
      if (!this.#stopping) advance(move, this.#deps.context)
    } catch (error) {
      this.#defect(move, error)
      return
    }
    for (const [path, reason] of move.aborts) {
      this.#aborted.set(path, reason)
      this.#controllers.get(path)?.abort(reason)
    }
    move.aborts.clear()
    this.#callEarly(move)
    if (this.#early.size === 0) this.#close(move)
  }

  /** Begins the calls that need not wait until the move is durable, and holds it open for what they return at once. */
  #callEarly(move: Move): void {
    if (this.#stopping || move.isLarge || !this.#deps.mayStartEffects()) return
    const calls = move.takeEarlyCalls()
    if (calls.length > 0 && this.#open === null) {
      this.#open = move
      setImmediate(() => {
        if (this.#open === move && !this.#closed) this.#close(move)
      })
    }
    for (const call of calls) {
      this.#early.add(call.path)
      void this.#call(call)
    }
  }

  #close(move: Move): void {
    this.#open = null
    this.#early.clear()
    let wakeAt: Date | null
    try {
      wakeAt = this.#rest(move)
    } catch (error) {
      this.#defect(move, error)
      return
    }
    if (move.isEmpty) {
      // A run that was taken over while it asked for money has nothing to write before it asks again.
      if (move.calls.length > 0) this.#durable(move, wakeAt)
      return
    }
    this.#writes.write(move).then(
      () => this.#durable(move, wakeAt),
      (error: unknown) => this.#refused(move, error),
    )
  }

  /** A defect of ours. The state in memory may be half changed: it is thrown away, and the run fails by name. */
  #defect(move: Move, error: unknown): void {
    this.#deps.log.error({ run_id: this.runId, err: error }, 'a run could not be moved')
    this.#refused(move, fail('SW_INTERNAL', `the run could not be moved: ${String(error)}`, { cause: error }))
  }

  /** Gives the run up when there is nothing more to do here. Returns when it is to be looked at again. */
  #rest(move: Move): Date | null {
    if (!move.releases && this.#run.active.size === 0 && this.#readers === 0 && (!move.isLarge || this.#stopping)) {
      if (!this.#stopping) {
        const wakeAt = park(move)
        this.#closed = true
        return wakeAt
      }
      move.release(move.now)
    }
    if (move.releases) this.#closed = true
    else if (this.#run.row.condition !== null) move.changeRun({ condition: null })
    return null
  }

  #durable(move: Move, wakeAt: Date | null): void {
    this.#creating = null
    for (const tell of move.whenDurable) tell()
    for (const call of move.calls) void this.#call(call)
    if (!move.releases) {
      if (move.isLarge) this.tick()
      return
    }
    const { status } = this.#run.row
    this.#deps.departed(status === 'running' || status === 'created' ? { kind: 'parked', wakeAt } : { kind: 'ended' })
  }

  #refused(move: Move, error: unknown): void {
    if (this.#gone) return
    this.#gone = true
    const lost = error instanceof StatewardError && error.ref === 'SW_LEASE_LOST'
    this.drop(fail('SW_CANCELLED', 'the run was taken from this process'))
    if (this.#creating !== null) {
      this.#creating(error)
      this.#deps.departed({ kind: 'gone' })
      return
    }
    this.#deps.departed(lost ? { kind: 'gone' } : { kind: 'refused', blame: move.blame, error })
  }

  async #call({ path, kind, begin }: Call): Promise<void> {
    const { context, mayStartEffects } = this.#deps
    while (!mayStartEffects() && !this.#closed) await new Promise((resolve) => setTimeout(resolve, LEASE_POLL_MS))
    if (this.#closed) return
    const controller = new AbortController()
    this.#controllers.set(path, controller)
    const aborted = this.#aborted.get(path)
    if (aborted !== undefined) controller.abort(aborted)
    if (kind === 'effect') context.crashPoint('action.before_effect')
    const record = await begin(controller.signal)
    if (kind === 'effect') context.crashPoint('action.after_effect')
    if (kind === 'money') context.crashPoint('budget.reserved')
    this.#controllers.delete(path)
    this.#aborted.delete(path)
    this.#move((move) => {
      this.#run.active.delete(path)
      this.#early.delete(path)
      record(move)
    })
  }
}

/** The step whose end could not be stored fails by that; when even this is refused, the run fails without any detail. */
function answerRefusal(move: Move, refusal: Refusal): void {
  const error = stepError(refusal.error, 'internal')
  const step = refusal.blame === null ? undefined : stepAt(move.run, refusal.blame)
  const effect = step === undefined ? undefined : move.run.effects.get(step.path)
  if (refusal.times === 1 && step !== undefined) {
    // Its effect took place; only what it returned is lost.
    if (effect?.state === 'intent') move.setEffect({ ...effect, state: 'succeeded', ended_at: move.now })
    move.failStep(step, error)
    return
  }
  const { code, category, message, retryable } = error
  end(move, 'failed', { error: { code, category, message, retryable } })
}
