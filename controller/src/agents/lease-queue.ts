import { setImmediate as turn } from 'node:timers/promises'
import { appendEvents } from '../store/log.ts'
import { isFrozen } from '../store/queries/freezes.ts'
import { leaseToDaemon, type TaskRow } from '../store/queries/tasks.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { agentActor, taskEvent } from './events.ts'
import { allowance, type Constraints } from './task-allowance.ts'

/** Who asks for tasks, and how many at most. */
export interface LeaseRequest {
  readonly instance: { readonly id: string; readonly namespace: string; readonly agent: string }
  readonly constraints: Constraints | undefined
  readonly max: number
  /** When the lease of what it gets ends. */
  readonly until: Date
  readonly now: Date
  readonly takesBulk: boolean
}

interface Waiting {
  readonly request: LeaseRequest
  readonly resolve: (tasks: readonly TaskRow[]) => void
  readonly reject: (error: unknown) => void
}

const BATCH = 25
/** Takes back what was given while the fleet is frozen. */
const FROZEN = new Error('the fleet is frozen')

/**
 * Leases tasks to daemons. What many ask for at once is given in one transaction: the head of the log is locked once for all
 * of them, and they wait for one commit together. As everywhere, one is in flight, and what comes meanwhile goes together
 * in the next. An agent that is constrained is asked alone: its tasks are counted under a lock of its own.
 */
export class LeaseQueue {
  readonly #store: Store
  #queue: Waiting[] = []
  #flushing: Promise<void> | null = null

  constructor(store: Store) {
    this.#store = store
  }

  /** Resolves when it is durable; the oldest first, none when there is none. */
  lease(request: LeaseRequest): Promise<readonly TaskRow[]> {
    if (request.constraints?.maxTasks !== undefined || request.constraints?.tasksPerMinute !== undefined)
      return this.#lease([request]).then(([tasks]) => tasks!)
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, resolve, reject })
      this.#flushing ??= this.#flush()
    })
  }

  async #flush(): Promise<void> {
    await turn()
    while (this.#queue.length > 0) await this.#give(this.#queue.splice(0, BATCH))
    this.#flushing = null
  }

  async #give(waiting: readonly Waiting[]): Promise<void> {
    try {
      const given = await this.#lease(waiting.map(({ request }) => request))
      for (const [i, { resolve }] of waiting.entries()) resolve(given[i]!)
    } catch (error) {
      if (waiting.length === 1) waiting[0]!.reject(error)
      // What fails for one of them fails for that one.
      else for (const one of waiting) await this.#give([one])
    }
  }

  async #lease(requests: readonly LeaseRequest[]): Promise<readonly (readonly TaskRow[])[]> {
    try {
      return await this.#leased(requests)
    } catch (error) {
      if (error === FROZEN) return requests.map(() => [])
      throw error
    }
  }

  #leased(requests: readonly LeaseRequest[]): Promise<readonly (readonly TaskRow[])[]> {
    return transact(this.#store, async (tx) => {
      // Sent together, done one after the other: nobody gets what somebody before him got.
      const [frozen, given] = await Promise.all([
        isFrozen(tx),
        Promise.all(
          requests.map(async ({ instance, constraints, max, until, now, takesBulk }) => {
            const agent = { namespace: instance.namespace, name: instance.agent }
            const most = await allowance(tx, agent, constraints, max, now)
            return most === 0 ? [] : leaseToDaemon(tx, { instanceId: instance.id, max: most, until, now, takesBulk })
          }),
        ),
      ])
      if (frozen) throw FROZEN
      const events = given.flatMap((tasks, i) => {
        const { instance, now } = requests[i]!
        return tasks.map((task) => taskEvent('leased', task, now, {}, agentActor(instance)))
      })
      if (events.length > 0) await appendEvents(tx, this.#store, events)
      return given
    })
  }
}
