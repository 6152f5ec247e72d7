import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../lib/clock.ts'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage } from '../lib/errors.ts'
import type { Sql } from './database.ts'
import { isConnectionLoss, isRetryable, mapConnectionLoss, sqlState } from './database-errors.ts'
import { type IntakeResult, type IntakeRows, intakeBatch } from './intake/statement.ts'
import type { NewMessage } from './intake/tables.ts'
import { digested } from './journal/batch.ts'
import { LOG_CHANNEL } from './log-channel.ts'
import type { PartitionKeeper } from './partitions.ts'
import type { Log, NewEvent } from './ports.ts'
import { lastOfBatch } from './queries/events.ts'
import { type KnownMessage, knownMessages } from './queries/message-keys.ts'
import { leaseLost, type Writer } from './writer.ts'

export type { NewMessage, ReceiverKind } from './intake/tables.ts'
export type { KnownMessage } from './queries/message-keys.ts'

/** What one batch carries, and what may wait for the next ones; more is refused. */
const BATCH = 500
const MOST_WAITING = 10_000
/** How long a batch is tried while the database does not answer: whoever sent it waits for as long. */
const PATIENCE_MS = 5_000

/** Where an event stands in the log, or the message that had come before under the same key. */
export type Taken = { readonly seq: number } | { readonly known: KnownMessage }

interface IntakeStore {
  readonly engine: Sql
  readonly writer: Writer
  readonly partitions: Pick<PartitionKeeper, 'reached'>
  readonly clock: Clock
  readonly log: Log
}

interface Entry {
  readonly rows: IntakeRows
  readonly resolve: (taken: Taken) => void
  readonly reject: (error: unknown) => void
}

/**
 * Group commit of what comes in: events and messages that many callers send at once. As in the journal of runs, one batch is
 * in flight, never two, and without a timer: what comes meanwhile goes together in the next.
 *
 * - `append` resolves when it is durable. Batches are fenced by the writer's row: SW_LEASE_LOST when it is gone.
 * - A message whose sender used its key before is not written again: who sent it is told which one it was.
 * - What the database refuses is found by halving the batch, and refused alone with SW_STORAGE_ERROR.
 * - A connection lost around COMMIT is settled by looking into the log. A database that does not answer for 5 seconds is
 *   SW_DATABASE_UNREACHABLE: then nobody knows, and the sender sends again.
 */
export class Intake {
  readonly #store: IntakeStore
  #queue: Entry[] = []
  #flushing: Promise<void> | null = null
  #committed: (seq: number) => void = () => {}

  constructor(store: IntakeStore) {
    this.#store = store
  }

  /** Calls back with the last number of every batch, before those who sent it are answered. */
  onCommitted(listener: (seq: number) => void): void {
    this.#committed = listener
  }

  /** The number of the event. */
  async append(event: NewEvent): Promise<number> {
    const taken = await this.#take(event, null)
    if ('known' in taken) throw new TypeError('an event has no key')
    return taken.seq
  }

  /** A message with the event that tells of it. */
  send(event: NewEvent, message: NewMessage): Promise<Taken> {
    return this.#take(event, message)
  }

  #take(event: NewEvent, message: NewMessage | null): Promise<Taken> {
    if (this.#queue.length >= MOST_WAITING)
      return Promise.reject(fail('SW_NOT_READY', 'more is sent than the database takes at this moment'))
    return new Promise((resolve, reject) => {
      this.#queue.push({ rows: { event: digested(event), message }, resolve, reject })
      this.#flushing ??= this.#flush()
    })
  }

  /** Resolves when nothing waits or is in flight. */
  async settled(): Promise<void> {
    while (this.#flushing !== null) await this.#flushing
  }

  async #flush(): Promise<void> {
    // One turn of the event loop, so that everything that was just received goes into this batch.
    await turn()
    while (this.#queue.length > 0) await this.#write(await this.#unknown(this.#queue.splice(0, BATCH)))
    this.#flushing = null
  }

  /** Without the messages that had come before; of two under one key in this batch, the second waits for the first. */
  async #unknown(entries: readonly Entry[]): Promise<readonly Entry[]> {
    const keyed = entries.filter(({ rows }) => rows.message?.idempotency_key != null)
    if (keyed.length === 0) return entries
    let known: ReadonlyMap<string, KnownMessage>
    try {
      known = await knownMessages(
        this.#store.engine,
        keyed.map(({ rows }) => rows.message!),
      )
    } catch (error) {
      for (const entry of keyed) entry.reject(mapConnectionLoss(error))
      return entries.filter((entry) => !keyed.includes(entry))
    }
    const inBatch = new Set<string>()
    return entries.filter((entry) => {
      const { message } = entry.rows
      if (message?.idempotency_key == null) return true
      const key = keyOf(message)
      const before = known.get(key)
      if (before !== undefined) entry.resolve({ known: before })
      else if (inBatch.has(key)) this.#queue.push(entry)
      else {
        inBatch.add(key)
        return true
      }
      return false
    })
  }

  /** Writes the entries, in halves when something among them is refused. */
  async #write(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return
    try {
      const last = await this.#send(entries)
      this.#store.partitions.reached(last)
      this.#committed(last)
      const before = last - entries.length
      for (const [i, entry] of entries.entries()) entry.resolve({ seq: before + 1 + i })
    } catch (error) {
      // Another process took the key meanwhile.
      if (isKeyTaken(error)) return this.#write(await this.#unknown(entries))
      if (!isOffence(error)) {
        for (const entry of entries) entry.reject(mapConnectionLoss(error))
      } else if (entries.length === 1) {
        const problem = `the database refused it: ${errorMessage(error)}`
        entries[0]!.reject(fail('SW_STORAGE_ERROR', problem, { cause: error }))
      } else {
        const middle = entries.length >> 1
        await this.#write(entries.slice(0, middle))
        await this.#write(entries.slice(middle))
      }
    }
  }

  /** Sends one batch until it is known what became of it, or for as long as callers have patience. */
  async #send(entries: readonly Entry[]): Promise<number> {
    const { writer, engine, clock, log } = this.#store
    const n = writer.nextBatch()
    const { statement, parameters } = intakeBatch(
      entries.map(({ rows }) => rows),
      { writer: writer.id, n, channel: LOG_CHANNEL },
    )
    const until = clock.monotonicMs() + PATIENCE_MS
    let unknown = false
    for (let attempt = 1; ; attempt++) {
      if (writer.isLost) throw leaseLost()
      try {
        if (unknown) {
          const last = await lastOfBatch(engine, writer.id, n)
          if (last !== null) return last
        }
        const [result] = await engine.unsafe<IntakeResult[]>(statement, [...parameters], { prepare: true })
        if (result!.held && result!.last_seq !== null) return result!.last_seq
        writer.markLost()
        throw leaseLost()
      } catch (error) {
        // Its number is there already: the batch was committed after the connection was lost, and we looked too early.
        const isLoss = isConnectionLoss(error) || isNumberTaken(error)
        if ((!isLoss && !isRetryable(error)) || clock.monotonicMs() > until) throw error
        unknown ||= isLoss
        if (isLoss) log.warn({ attempt, n, err: error }, 'a batch of what came in is sent again')
        await delay(isLoss ? Math.min(50 * 2 ** attempt, 1000) : 2 * attempt)
      }
    }
  }
}

function keyOf({ namespace, sender, idempotency_key }: NewMessage): string {
  return JSON.stringify([namespace, sender, idempotency_key])
}

function isKeyTaken(error: unknown): boolean {
  return isTaken(error) && error.constraint_name === 'messages_key'
}

function isNumberTaken(error: unknown): boolean {
  return isTaken(error) && error.table_name === 'log_batches'
}

function isTaken(error: unknown): error is { readonly constraint_name?: string; readonly table_name?: string } {
  return sqlState(error) === '23505'
}

/** The data is at fault, not the moment. */
function isOffence(error: unknown): boolean {
  const state = sqlState(error)
  if (state === null) return error instanceof TypeError
  return ['21', '22', '23', '54'].some((category) => state.startsWith(category))
}
