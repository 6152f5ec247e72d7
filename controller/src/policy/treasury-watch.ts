import { setTimeout as delay } from 'node:timers/promises'
import type { EventName } from '../events/catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { JsonObject } from '../lib/json.ts'
import { appendEvents } from '../store/log.ts'
import type { LoggedEvent, NewEvent } from '../store/ports.ts'
import { consumerPosition, moveConsumer, readLogBehind } from '../store/queries/consumers.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import type { PolicyVersion } from './evaluate/compile.ts'
import { allocationsOf } from './evaluate/treasury.ts'

const CONSUMER = 'treasury'
const ACTOR = 'system:treasury'
const BATCH = 500
/** Between two looks: a busy log moves thousands of times a second. */
const PAUSE_MS = 250
const RETRY_MS = 5_000

export interface TreasuryWatch {
  /** The log has grown. */
  nudge(): void
  stop(): Promise<void>
}

/** A version, and the number of the event since which it is in force: it is about what came after that. */
export type TreasuryPolicy = PolicyVersion & { readonly since: number }

/**
 * Tells of each event that treasury policies are about how its amount is meant to be split: an event of the ledger, by which
 * nothing is paid. A durable consumer of the log, whose position moves in the transaction that writes what it tells, so that
 * each event counts once. The leader's alone; while no treasury policy is in force it reads nothing.
 */
export function watchTreasury(store: Store, policies: () => readonly TreasuryPolicy[]): TreasuryWatch {
  const stopping = new AbortController()
  let working: Promise<void> | null = null
  let again = false
  let saved: number | null = null
  let position = 0
  const pause = (ms: number) => delay(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)

  async function work(): Promise<void> {
    do {
      await pause(PAUSE_MS)
      again = false
      if (stopping.signal.aborted) return
      try {
        while (await read()) if (stopping.signal.aborted) return
      } catch (error) {
        // Nothing was committed, or we do not know: the position is read again and tells.
        saved = null
        store.log.warn({ err: error }, 'events could not be checked for allocations; it is tried again')
        await pause(RETRY_MS)
        again = true
      }
    } while (again)
  }

  /** True when there are more. */
  async function read(): Promise<boolean> {
    const active = policies()
    if (active.length === 0) return false
    if (saved === null) {
      saved = await transact(store, (tx) => consumerPosition(tx, CONSUMER))
      position = saved
    }
    const after = Math.max(position, Math.min(...active.map(({ since }) => since)))
    const { head, events } = await readLogBehind(store.engine, { after, own: false, limit: BATCH })
    const told = events.flatMap((event) => allocated(event, active, store.clock.now()))
    const more = events.length === BATCH
    const to = more ? events.at(-1)!.seq : head
    if (told.length > 0) {
      const from = saved
      await transact(store, async (tx) => {
        if (!(await moveConsumer(tx, CONSUMER, from, to))) throw new Error(`consumer ${CONSUMER} was moved by another`)
        await appendEvents(tx, store, told)
      })
      saved = to
    }
    position = Math.max(position, to)
    return more
  }

  return {
    nudge() {
      again = true
      working ??= work().finally(() => {
        working = null
      })
    },
    async stop() {
      stopping.abort()
      await working
    },
  }
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
