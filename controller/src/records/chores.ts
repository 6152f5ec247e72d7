import type { EventName } from '../events/catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import { appendEvents } from '../store/log.ts'
import type { NewEvent } from '../store/ports.ts'
import { deleteArtifactsBefore, forgetContent, lockUnusedContent, unusedContents } from '../store/queries/artifacts.ts'
import { nextRollupDay, rollUpDay } from '../store/queries/footprint-rollups.ts'
import { deleteStaleLogRequests } from '../store/queries/host-logs.ts'
import { deleteKeysBefore } from '../store/queries/idempotency.ts'
import { deleteToolCallsBefore } from '../store/queries/tool-calls.ts'
import { deleteUnusedArchives } from '../store/queries/tree-archives.ts'
import { type DroppedPartition, dropEventPartitions, dropFootprintPartitions, isInTheWay } from '../store/retention.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { type ArtifactDeps, artifactEvent } from './artifacts/artifacts.ts'
import type { Chore } from './janitor.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Archives of directories that no agent runs from any more, a day after they were made. */
export function oldTreeArchives(store: Store): Chore {
  return {
    name: 'tree archives',
    run: () => transact(store, (tx) => deleteUnusedArchives(tx, new Date(store.clock.now().getTime() - DAY))),
  }
}

/** Requests for logs of hosts whose reader was killed. */
export function staleLogRequests(store: Store): Chore {
  return {
    name: 'log requests',
    run: () => transact(store, (tx) => deleteStaleLogRequests(tx, new Date(store.clock.now().getTime() - HOUR))),
  }
}

/** Partitions of the log older than `keepMs`. What was dropped is an event itself. */
export function oldEvents(store: Store, keepMs: number): Chore {
  return {
    name: 'events',
    async run() {
      const now = store.clock.now()
      try {
        return await transact(store, async (tx) => {
          const dropped = await dropEventPartitions(tx, new Date(now.getTime() - keepMs))
          if (dropped.length > 0)
            await appendEvents(
              tx,
              store,
              dropped.map((partition) => droppedEvent(partition, now)),
            )
          return dropped.length
        })
      } catch (error) {
        if (isInTheWay(error)) return 0
        throw error
      }
    },
  }
}

/** Sums up the footprints of every day that is over, a day a transaction. The sums stay. */
export function footprintsByDay(store: Store): Chore {
  return {
    name: 'footprints by day',
    async run() {
      const today = store.clock.now().toISOString().slice(0, 10)
      for (let days = 0; ; days++) {
        const more = await transact(store, async (tx) => {
          const day = await nextRollupDay(tx, today)
          if (day === null) return false
          const rows = await rollUpDay(tx, day)
          if (rows > 0) await appendEvents(tx, store, [rolledUpEvent(day, rows, store.clock.now())])
          return true
        })
        if (!more || days >= MAX_DAYS) return days
      }
    },
  }
}

/** Of one round: a database that was away for long catches up over several. */
const MAX_DAYS = 100

function rolledUpEvent(day: string, rows: number, now: Date): NewEvent {
  return {
    event_id: uuidv7(now.getTime()),
    event_name: 'stateward.footprint.rollup.created' satisfies EventName,
    occurred_at: now,
    env_id: 'default',
    actor: 'system',
    correlation_id: uuidv7(now.getTime()),
    data: { day, rows },
  }
}

/** Months of stored footprints and impressions that ended longer ago than `keepMs`. */
export function oldFootprints(store: Store, keepMs: number): Chore {
  return {
    name: 'footprints',
    async run() {
      try {
        const before = new Date(store.clock.now().getTime() - keepMs)
        return await transact(store, (tx) => dropFootprintPartitions(tx, before))
      } catch (error) {
        if (isInTheWay(error)) return 0
        throw error
      }
    },
  }
}

/** Keys whose day is over: a request that comes again after it counts as a new one. */
export function oldIdempotencyKeys(store: Store): Chore {
  return {
    name: 'idempotency keys',
    run: () => transact(store, (tx) => deleteKeysBefore(tx, new Date(store.clock.now().getTime() - DAY))),
  }
}

/** Calls of tools that ended longer ago than `keepMs`. */
export function oldToolCalls(store: Store, keepMs: number): Chore {
  return {
    name: 'tool calls',
    async run() {
      const before = new Date(store.clock.now().getTime() - keepMs)
      for (let all = 0; ; ) {
        const gone = await transact(store, (tx) => deleteToolCallsBefore(tx, before, BATCH))
        all += gone
        if (gone < BATCH) return all
      }
    },
  }
}

/** Rows a transaction removes at most, so that none takes long. */
const BATCH = 500

/**
 * Artifacts made longer ago than `keepMs`, each with an event, then the bytes that none has any more, then what came and was
 * never finished. Returns how many artifacts were removed.
 */
export function oldArtifacts(deps: Pick<ArtifactDeps, 'store' | 'files'>, keepMs: number): Chore {
  const { store, files } = deps
  return {
    name: 'artifacts',
    async run() {
      const now = store.clock.now()
      const removed = await all(BATCH, () => deleteBatch(store, new Date(now.getTime() - keepMs), now))
      await all(BATCH, () => removeUnused(deps))
      await files.sweep(new Date(now.getTime() - DAY))
      return removed
    },
  }
}

/** Until a batch is not full. */
async function all(size: number, batch: () => Promise<number>): Promise<number> {
  let total = 0
  for (;;) {
    const count = await batch()
    total += count
    if (count < size) return total
  }
}

function deleteBatch(store: Store, before: Date, now: Date): Promise<number> {
  return transact(store, async (tx) => {
    const rows = await deleteArtifactsBefore(tx, before, BATCH)
    const by = { actor: 'system:controller', correlationId: uuidv7(now.getTime()) }
    if (rows.length > 0)
      await appendEvents(
        tx,
        store,
        rows.map((row) => artifactEvent('deleted', row, now, by)),
      )
    return rows.length
  })
}

/**
 * The file goes while the row of its bytes is locked: whoever brings the same bytes meanwhile waits, and then writes them
 * again. Should the row stay because the commit fails, the next round finds it without a file, which is no harm.
 */
async function removeUnused({ store, files }: Pick<ArtifactDeps, 'store' | 'files'>): Promise<number> {
  const unused = await unusedContents(store.engine, BATCH)
  for (const sha256 of unused) {
    await transact(store, async (tx) => {
      if (!(await lockUnusedContent(tx, sha256))) return
      await files.remove(sha256)
      await forgetContent(tx, sha256)
    })
  }
  return unused.length
}

function droppedEvent({ first_seq, last_seq }: DroppedPartition, now: Date): NewEvent {
  return {
    event_id: uuidv7(now.getTime()),
    event_name: 'stateward.log.partition.dropped' satisfies EventName,
    occurred_at: now,
    env_id: 'default',
    actor: 'system:controller',
    correlation_id: uuidv7(now.getTime()),
    data: { first_seq, last_seq },
  }
}
