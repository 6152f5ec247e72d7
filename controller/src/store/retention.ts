import type { Executor } from './database.ts'
import { sqlState } from './database-errors.ts'

export interface DroppedPartition {
  readonly partition: string
  readonly first_seq: number
  readonly last_seq: number
}

/** Somebody reads it, and is not to be waited for. */
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Drops the partitions of the log whose newest event is older than `olderThan` and which every durable consumer has read;
 * never the one of the head. In a transaction of `transact`, before it appends events. None while a reader is in the way:
 * then the transaction is over (SQLSTATE 55P03, see {@link isInTheWay}).
 */
export async function dropEventPartitions(tx: Executor, olderThan: Date): Promise<DroppedPartition[]> {
  return tx<DroppedPartition[]>`SELECT partition, first_seq, last_seq FROM events_drop_partitions(${olderThan})`
}

/** Drops the months of footprints and impressions that ended before `olderThan`; how many. In a transaction of `transact`. */
export async function dropFootprintPartitions(tx: Executor, olderThan: Date): Promise<number> {
  const [row] = await tx<{ dropped: number }[]>`
    SELECT footprints_drop_partitions(${olderThan}) + impressions_drop_partitions(${olderThan}) AS dropped`
  return row!.dropped
}

/** The lock on a table could not be had in time: nothing was done, and trying again later is all there is to do. */
export function isInTheWay(error: unknown): boolean {
  return sqlState(error) === LOCK_NOT_AVAILABLE
}
