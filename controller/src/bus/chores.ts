import { deleteMessagesBefore } from '../store/queries/messages.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { giveUp } from './deliver.ts'

/** Rows a transaction removes at most, so that none takes long. */
const BATCH = 500

/** What is done from time to time; resolves with how many it was about. */
interface Chore {
  readonly name: string
  run(): Promise<number>
}

/** Dead letters of agents that do not ask for their messages. */
export function deadLetters(store: Store, nudge: (seq: number) => void): Chore {
  return { name: 'dead letters', run: () => giveUp({ store, nudge }, null) }
}

/** Messages sent longer ago than `keepMs` that nobody waits for any more. */
export function oldMessages(store: Store, keepMs: number): Chore {
  return {
    name: 'messages',
    async run() {
      const before = new Date(store.clock.now().getTime() - keepMs)
      for (let total = 0; ; ) {
        const count = await transact(store, (tx) => deleteMessagesBefore(tx, before, BATCH))
        total += count
        if (count < BATCH) return total
      }
    },
  }
}
