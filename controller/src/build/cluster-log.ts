import { logHead } from '../store/log.ts'
import { PORTION } from '../store/log-consumer.ts'
import type { LoggedEvent } from '../store/ports.ts'
import { readNamedBehind } from '../store/queries/consumers.ts'
import type { Core } from './core.ts'

/** Tells of events by name that are written from now on. What it misses while it cannot read is told later, what came before never. */
export function followNamed(
  { store, feed, log }: Pick<Core, 'store' | 'feed' | 'log'>,
  names: readonly string[],
  tell: (event: LoggedEvent) => void,
): { stop(): Promise<void> } {
  let position: number | null = null
  let working: Promise<void> | null = null
  let again = true
  let isStopped = false
  const work = async () => {
    while (again && !isStopped) {
      again = false
      try {
        position ??= (await logHead(store.engine)).seq
        for (let full = true; full && !isStopped; ) {
          const { head, events } = await readNamedBehind(store.engine, { after: position, names, limit: PORTION })
          for (const event of events) tell(event)
          full = events.length === PORTION
          position = Math.max(position, full ? events.at(-1)!.seq : head)
        }
      } catch (error) {
        // The next event, or the next look of the feed, tries again.
        log.warn({ err: error }, 'events for the cluster could not be read')
      }
    }
  }
  const nudge = () => {
    again = true
    working ??= work().finally(() => {
      working = null
    })
  }
  const unsubscribe = feed.subscribe(nudge)
  nudge()
  return {
    async stop() {
      isStopped = true
      unsubscribe()
      await working
    },
  }
}
