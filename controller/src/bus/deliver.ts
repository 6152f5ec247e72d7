import { uuidv7 } from '../lib/ids.ts'
import { appendEvents } from '../store/log.ts'
import {
  type AttemptRule,
  claimForRoles,
  type DeliveredMessage,
  giveUpDeliveries,
  type Mailbox,
  takeDeliveries,
} from '../store/queries/deliveries.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { messageEvent } from './message-events.ts'
import type { Addressees } from './ports.ts'

/** An attempt that was not acknowledged for so long is over: the next time it is handed out is another one. */
export const ATTEMPT_MS = 60_000
/** After so many attempts a delivery is given up. */
const MOST_ATTEMPTS = 10
/** Deliveries that one transaction gives up. */
const GIVE_UP_AT_ONCE = 200

export interface DeliveryDeps {
  readonly store: Store
  readonly addressees: Pick<Addressees, 'rolesOf'>
  readonly nudge: (seq: number) => void
}

export interface DeliveryPage {
  /** Only what came after this number of the log. */
  readonly after: number
  /** Only what came up to this number. */
  readonly upto?: number
  /** Only these. */
  readonly messages?: readonly string[]
  /** Only those that were not handed out within the last minute. */
  readonly overOnly?: boolean
  readonly limit: number
}

function ruleAt(now: Date): AttemptRule {
  return { now, overSince: new Date(now.getTime() - ATTEMPT_MS), most: MOST_ATTEMPTS }
}

/** What an agent has not acknowledged, the oldest first. It gets the same again until it does, or until it is given up. */
export async function deliver(deps: DeliveryDeps, mailbox: Mailbox, page: DeliveryPage): Promise<DeliveredMessage[]> {
  const { store, addressees } = deps
  const roles = addressees.rolesOf({ namespace: mailbox.namespace, name: mailbox.agent })
  const rule = ruleAt(store.clock.now())
  return transact(store, async (tx) => {
    // What the agent holds a role for is its own from now on, also when somebody else takes the role over.
    if (roles.length > 0) await claimForRoles(tx, mailbox, roles)
    return takeDeliveries(tx, mailbox, rule, page)
  })
}

/** Makes dead letters of what was handed out in vain, or is over; of one agent, or of all. Returns how many. */
export async function giveUp(deps: Pick<DeliveryDeps, 'store' | 'nudge'>, mailbox: Mailbox | null): Promise<number> {
  const { store, nudge } = deps
  for (let total = 0; ; ) {
    const now = store.clock.now()
    const { count, seq } = await transact(store, async (tx) => {
      const lost = await giveUpDeliveries(tx, ruleAt(now), { mailbox, limit: GIVE_UP_AT_ONCE })
      if (lost.length === 0) return { count: 0, seq: null }
      const events = lost.map((row) =>
        messageEvent(
          'dead_lettered',
          row,
          {
            namespace: row.namespace,
            agents: [row.agent],
            data: { attempts: row.attempts, reason: row.dead_reason!, from: row.sender },
          },
          { actor: 'system', correlationId: row.correlation_id, eventId: uuidv7(now.getTime()), now },
        ),
      )
      return { count: lost.length, seq: (await appendEvents(tx, store, events)).lastSeq }
    })
    total += count
    if (seq !== null) nudge(seq)
    if (count < GIVE_UP_AT_ONCE) return total
  }
}
