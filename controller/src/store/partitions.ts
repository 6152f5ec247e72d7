import { errorMessage } from '../lib/errors.ts'
import type { Sql } from './database.ts'
import type { Log } from './ports.ts'

/** Numbers a partition of `events` holds; `events_ensure_partition` of the schema says the same. */
const PARTITION_SIZE = 1_000_000

/**
 * Makes the next partition of `events` when half of the last one is used. Never inside the transaction that writes
 * events: others wait for the log's number with `events` already locked, and would wait for each other for ever.
 */
export class PartitionKeeper {
  /** Numbers below this have a partition. */
  #end = 0
  #running: Promise<void> | null = null
  readonly #sql: Sql
  readonly #log: Log

  constructor(sql: Sql, log: Log) {
    this.#sql = sql
    this.#log = log
  }

  /** Makes the partitions up to half a partition beyond the head, and waits for it. */
  async ensure(): Promise<void> {
    const [row] = await this.#sql<{ partition_end: number }[]>`
      SELECT events_ensure_partition(seq + ${PARTITION_SIZE / 2}) AS partition_end FROM log_head`
    this.#end = row!.partition_end
  }

  /** Says that the log has come to `seq`; starts `ensure` beside it when the rest is less than half a partition. */
  reached(seq: number): void {
    if (seq + PARTITION_SIZE / 2 < this.#end || this.#running !== null) return
    this.#running = this.ensure()
      .catch((error: unknown) => {
        // The next batch tries again; half a partition is left until it matters.
        this.#log.warn({ seq, err: error }, `the next partition of events could not be made: ${errorMessage(error)}`)
      })
      .finally(() => {
        this.#running = null
      })
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#running
  }
}
