import type { EventName } from '../events/catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { JsonObject } from '../lib/json.ts'
import { consumeLog, type LogConsumer, PORTION } from '../store/log-consumer.ts'
import type { LoggedEvent, NewEvent } from '../store/ports.ts'
import { readLogBehind } from '../store/queries/consumers.ts'
import { logHead } from '../store/queries/events.ts'
import type { Store } from '../store/store.ts'
import type { PolicyVersion } from './evaluate/compile.ts'
import { allocationsOf } from './evaluate/treasury.ts'

const ACTOR = 'system:treasury'

/** A version, and the number of the event since which it is in force: it is about what came after that. */
export type TreasuryPolicy = PolicyVersion & { readonly since: number }

/**
 * Tells of each event that treasury policies are about how its amount is meant to be split: an event of the ledger, by which
 * nothing is paid. Each event counts once. The leader's alone.
 */
export function watchTreasury(store: Store, policies: () => readonly TreasuryPolicy[]): LogConsumer {
  /** How far the log had come at the last look that found no policy in force. */
  let idle = 0
  return consumeLog(store, {
    name: 'treasury',
    failed: 'events could not be checked for allocations; it is tried again',
    async read(position) {
      const active = policies()
      if (active.length === 0) {
        // What came since may be about a policy that is in force already, and of which this process was not told yet.
        const before = Math.max(idle, position)
        idle = (await logHead(store.engine)).seq
        return { head: before, events: [], write: null }
      }
      const after = Math.max(position, Math.min(...active.map(({ since }) => since)))
      const { head, events } = await readLogBehind(store.engine, { after, own: false, limit: PORTION })
      const told = events.flatMap((event) => allocated(event, active, store.clock.now()))
      return { head, events, write: told.length > 0 ? () => Promise.resolve(told) : null }
    },
  })
}

function allocated(event: LoggedEvent, active: readonly TreasuryPolicy[], now: Date): NewEvent[] {
  if (event.event_name.startsWith('stateward.')) return []
  const inForce = active.filter(({ since }) => since < event.seq)
  return allocationsOf(inForce, { name: event.event_name, data: event.data }).map(({ policy, rule, splits }) => {
    const amount = event.data['amount_usd']
    return {
      event_id: uuidv7(now.getTime()),
      event_name: 'stateward.treasury.allocated' satisfies EventName,
      occurred_at: now,
      env_id: event.env_id,
      actor: ACTOR,
      correlation_id: event.correlation_id,
      resource: { type: 'Policy', id: policy.uid ?? `${policy.namespace}/${policy.name}` },
      data: {
        policy: `${policy.namespace}/${policy.name}`,
        version: policy.version,
        rule,
        event_id: event.event_id,
        event_name: event.event_name,
        amount_usd: typeof amount === 'number' || typeof amount === 'string' ? String(amount) : null,
        splits: splits as unknown as JsonObject[],
      },
    }
  })
}
