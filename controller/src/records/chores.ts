import type { EventName } from '../events/catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import { appendEvents } from '../store/log.ts'
import type { NewEvent } from '../store/ports.ts'
import { deleteKeysBefore } from '../store/queries/idempotency.ts'
import { type DroppedPartition, dropEventPartitions, isInTheWay } from '../store/retention.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import type { Chore } from './janitor.ts'

const DAY = 86_400_000

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

/** Keys whose day is over: a request that comes again after it counts as a new one. */
export function oldIdempotencyKeys(store: Store): Chore {
  return {
    name: 'idempotency keys',
    run: () => transact(store, (tx) => deleteKeysBefore(tx, new Date(store.clock.now().getTime() - DAY))),
  }
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
