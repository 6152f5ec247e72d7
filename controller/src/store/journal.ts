import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../lib/errors.ts'
import { isConnectionLoss, isRetryable, sqlState } from './database-errors.ts'
import { batchOf } from './journal/batch.ts'
import { Pace } from './journal/pace.ts'
import { type Entry, JournalQueue, precedingRefused, QUEUE_LIMITS, type QueueLimits } from './journal/queue.ts'
import type { Transition } from './journal/rows.ts'
import type { JournalResult } from './journal/statement.ts'
import { isBatchCommitted } from './queries/events.ts'
import type { Store } from './store.ts'
import { leaseLost } from './writer.ts'

export type {
  DecisionRow,
  EffectRow,
  GateRow,
  NewRun,
  RunStatus,
  StepRow,
  StepStatus,
  TaskRow,
  Transition,
  WaitRow,
} from './journal/rows.ts'

export interface JournalOptions {
  readonly limits?: QueueLimits
  /** Called at `journal.before_commit` and `journal.after_commit`: where a test ends the process. */
  readonly crashPoint?: (name: 'journal.before_commit' | 'journal.after_commit') => void
  /** Called with every transition that became durable, and how long that took in milliseconds. */
  readonly durable?: (transition: Transition, ms: number) => void
}

const NAME_CONSTRAINT = 'runs_namespace_name_key'

type Outcome = { readonly kind: 'durable' } | { readonly kind: 'refused'; readonly error: unknown }

/**
 * Group commit. One batch is in flight, never two; transitions of all runs gather meanwhile and go together in the next.
 * There is no timer: a batch leaves as soon as the one before it is durable, so an idle run waits for nobody.
 *
 * - `append` resolves when the transition is durable. Transitions of a run are applied in the order they were appended.
 * - A batch is all or nothing, fenced by the writer's row. Is the row gone, every pending promise is rejected with
 *   SW_LEASE_LOST and nothing is ever written again.
 * - What the database refuses (SQLSTATE 22, 23, 54) or what is not ours is found by halving the batch and rejected alone
 *   with SW_STORAGE_ERROR or SW_CONFLICT, together with what the same run appends behind it until `readmit`. Its
 *   neighbours are written.
 * - A run that is created under a name that is taken is refused with SW_CONFLICT, and alone.
 * - A connection lost around COMMIT is settled by looking into the log, never by guessing.
 */
export class Journal {
  readonly #store: Store
  readonly #queue: JournalQueue
  readonly #crashPoint: NonNullable<JournalOptions['crashPoint']>
  readonly #durable: JournalOptions['durable']
  /** Runs of which a transition was refused: what they had in mind after it builds on something that is not there. */
  readonly #refused = new Set<string>()
  readonly #pace = new Pace()
  #flushing: Promise<void> | null = null
  #lost = false

  constructor(store: Store, options: JournalOptions = {}) {
    this.#store = store
    this.#queue = new JournalQueue(options.limits ?? QUEUE_LIMITS, (runId) => this.#refused.add(runId))
    this.#crashPoint = options.crashPoint ?? (() => {})
    this.#durable = options.durable
  }

  /** Back-pressure: Postgres is slower than what comes; start nothing new. */
  get isFull(): boolean {
    return this.#queue.isFull
  }

  append(transition: Transition): Promise<void> {
    if (this.#lost) return Promise.reject(leaseLost())
    if (this.#refused.has(transition.run_id)) return Promise.reject(precedingRefused())
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#queue.push({ transition, resolve, reject })
    this.#flushing ??= this.#flush()
    return this.#durable === undefined ? promise : this.#observed(promise, transition, this.#durable)
  }

  async #observed(promise: Promise<void>, transition: Transition, durable: NonNullable<JournalOptions['durable']>) {
    const since = this.#store.clock.monotonicMs()
    await promise
    durable(transition, this.#store.clock.monotonicMs() - since)
  }

  /** After a refusal nothing of that run is taken until its owner has loaded it again and says so here. */
  readmit(runId: string): void {
    this.#refused.delete(runId)
  }

  /** Gives up what is not durable yet; it stays as it was, for the next owner. For a shutdown whose database is away. */
  abandon(): void {
    if (!this.#lost) this.#lose()
  }

  /** Resolves when nothing is queued or in flight. */
  async settled(): Promise<void> {
    while (this.#flushing !== null) await this.#flushing
  }

  async #flush(): Promise<void> {
    // One turn of the event loop, so that everything that is about to move now goes into this batch.
    await turn()
    let durable: readonly Entry[] = []
    while (durable.length > 0 || !this.#queue.isEmpty) {
      if (this.#queue.isEmpty || !this.#pace.takesTurns(durable.length)) {
        const first = this.#pace.before(durable.length)
        await this.#tell(durable.slice(0, first))
        durable = durable.slice(first)
        if (this.#queue.isEmpty) continue
      }
      const sending = this.#fly(this.#queue.take())
      if (durable.length > 0) {
        // It has left before anybody works on what comes after it.
        await turn()
        await this.#tell(durable)
      }
      durable = await sending
    }
    this.#flushing = null
  }

  /** Tells entries that they are durable, and waits until they have done about it what they do at once. */
  async #tell(entries: readonly Entry[]): Promise<void> {
    const since = this.#store.clock.monotonicMs()
    for (const entry of entries) entry.resolve()
    await turn()
    this.#pace.told(entries.length, this.#store.clock.monotonicMs() - since)
  }

  async #fly(entries: readonly Entry[]): Promise<readonly Entry[]> {
    const since = this.#store.clock.monotonicMs()
    const durable = await this.#write(entries)
    this.#pace.flew(this.#store.clock.monotonicMs() - since)
    return durable
  }

  /** Writes the entries, in halves when something among them is refused. Returns those that are durable and not told yet. */
  async #write(all: readonly Entry[]): Promise<readonly Entry[]> {
    const entries = all.filter((entry) => {
      if (!this.#refused.has(entry.rows.runId)) return true
      entry.reject(precedingRefused())
      return false
    })
    if (entries.length === 0) return []
    const outcome = await this.#send(entries)
    if (outcome.kind === 'durable') {
      this.#crashPoint('journal.after_commit')
      return entries
    }
    if (this.#lost) {
      for (const entry of entries) entry.reject(outcome.error)
      return []
    }
    if (entries.length === 1) {
      this.#refuse(entries[0]!, outcome.error)
      return []
    }
    const middle = entries.length >> 1
    const first = await this.#write(entries.slice(0, middle))
    return [...first, ...(await this.#write(entries.slice(middle)))]
  }

  #refuse(entry: Entry, error: unknown): void {
    this.#refused.add(entry.rows.runId)
    // That a name is taken is an answer to whoever asked for it, not a failure.
    const isTaken = entry.rows.created !== null && error instanceof StatewardError && error.ref === 'SW_CONFLICT'
    if (!isTaken) this.#store.log.error({ run_id: entry.rows.runId, err: error }, 'a step could not be stored')
    entry.reject(error)
    for (const later of this.#queue.removeRun(entry.rows.runId)) later.reject(precedingRefused())
  }

  /** Sends one batch until it is known what became of it. */
  async #send(entries: readonly Entry[]): Promise<Outcome> {
    const n = this.#store.writer.nextBatch()
    const batch = batchOf(
      entries.map(({ rows }) => rows),
      this.#store.writer.id,
      n,
    )
    let unknown = false
    for (let attempt = 1; ; attempt++) {
      if (this.#store.writer.isLost || this.#lost) return this.#lose()
      try {
        if (unknown && batch.events > 0 && (await isBatchCommitted(this.#store.engine, this.#store.writer.id, n))) {
          return { kind: 'durable' }
        }
        this.#crashPoint('journal.before_commit')
        const [result] = await this.#store.batches.unsafe<JournalResult[]>(batch.statement, [...batch.parameters], {
          prepare: true,
        })
        if (!result!.held) return this.#loseLease()
        if (result!.last_seq !== null) this.#store.partitions.reached(result!.last_seq)
        // Without events the log cannot tell whether the lost batch was applied. But only we take our own runs away from
        // us, and only with this very batch: not finding them is its success.
        if (result!.ok || (unknown && batch.events === 0)) return { kind: 'durable' }
        return {
          kind: 'refused',
          error: fail('SW_CONFLICT', 'the run is not in the state, or not with the owner, that this step starts from'),
        }
      } catch (error) {
        if (isNameTaken(error))
          return {
            kind: 'refused',
            error: fail('SW_CONFLICT', 'there is a run of that name already', { cause: error }),
          }
        if (isOffence(error)) {
          return {
            kind: 'refused',
            error: fail('SW_STORAGE_ERROR', `the database refused the step: ${errorMessage(error)}`, { cause: error }),
          }
        }
        unknown ||= !isRetryable(error)
        if (!isRetryable(error))
          this.#store.log.warn({ attempt, n, err: error }, 'a batch of the journal is sent again')
        await delay(isConnectionLoss(error) ? Math.min(50 * 2 ** attempt, 2000) : Math.min(2 * attempt, 1000))
      }
    }
  }

  #loseLease(): Outcome {
    this.#store.writer.markLost()
    return this.#lose()
  }

  #lose(): Outcome {
    this.#lost = true
    const error = leaseLost()
    for (const pending of this.#queue.clear()) pending.reject(error)
    return { kind: 'refused', error }
  }
}

/** The name of a run that is created in the batch. */
function isNameTaken(error: unknown): boolean {
  return sqlState(error) === '23505' && (error as { constraint_name?: string }).constraint_name === NAME_CONSTRAINT
}

/**
 * The data is at fault, not the moment: sending it again would fail again. A number of `log_batches` that is there
 * already is no offence: the batch was committed after the connection was lost and we looked too early.
 */
function isOffence(error: unknown): boolean {
  const state = sqlState(error)
  if (state === null) return !isConnectionLoss(error) && !isRetryable(error) && error instanceof TypeError
  const table = error instanceof Error && 'table_name' in error ? error.table_name : undefined
  if (state === '23505' && table === 'log_batches') return false
  return ['21', '22', '23', '54'].some((category) => state.startsWith(category))
}
