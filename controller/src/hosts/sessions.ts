import { fail } from '../lib/error-catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import {
  endSession,
  type HostBeat,
  holdsHostLease,
  hostByName,
  leaseLeftMs,
  lockHost,
  openSession,
  renewHostLease,
} from '../store/queries/hosts.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { hostEvent } from './events.ts'

/**
 * A session is one process that supervises a host's agents, with a lease it renews. At most one at a time: a second one
 * begins when the first one's lease is over, or at once when it is the same data folder on the same boot of the machine
 * (then it is a restart, and what lives there is adopted).
 */
export interface SessionRequest {
  /** Names the data folder. */
  readonly machine: string
  readonly bootId: string
  readonly dataDir: string
  readonly version: string
  readonly hardware: JsonObject
}

/** Throws SW_CONFLICT while another machine holds the lease. */
export async function beginSession(
  store: Store,
  host: string,
  request: SessionRequest,
  leaseMs: number,
): Promise<{ readonly session: string }> {
  const session = uuidv7(store.clock.now().getTime())
  await transact(store, async (tx) => {
    const at = store.clock.now()
    const row = await lockHost(tx, host)
    if (row === null) throw gone(host)
    const left = await leaseLeftMs(tx, host)
    const isRestart = row.machine === request.machine && row.boot_id === request.bootId
    if (left !== null && left > 0 && !isRestart)
      throw fail('SW_CONFLICT', `host ${host} is connected from another machine`, {
        remedy: `stop it there; its lease ends in ${Math.ceil(left / 1000)} s`,
        details: { retry_after_ms: Math.ceil(left) },
      })
    await openSession(tx, host, { ...request, session, leaseMs, at })
    const data = { host, session }
    await appendEvents(tx, store, [hostEvent('connected', host, at, data, { actor: `host:${host}` })])
  })
  return { session }
}

/** Renews the lease. Throws SW_CONFLICT when the session is over: nothing of it may run any more. */
export async function heartbeatHost(
  store: Store,
  host: string,
  session: string,
  leaseMs: number,
  beat: Omit<HostBeat, 'at'>,
): Promise<{ readonly phaseReached: boolean }> {
  return transact(store, async (tx) => {
    const at = store.clock.now()
    const before = await hostByName(tx, host)
    if (!(await renewHostLease(tx, host, session, leaseMs, { ...beat, at }))) throw over(host)
    if (before?.boot_phase === beat.phase) return { phaseReached: false }
    const data = { host, phase: beat.phase, boot_duration_ms: beat.bootDurationMs }
    await appendEvents(tx, store, [hostEvent('phase.reached', host, at, data, { actor: `host:${host}` })])
    return { phaseReached: true }
  })
}

/** The host ends in order: it has ended everything it ran. */
export async function leaveHost(store: Store, host: string, session: string): Promise<void> {
  await transact(store, async (tx) => {
    if (!(await endSession(tx, host, session))) return
    const at = store.clock.now()
    await appendEvents(tx, store, [hostEvent('disconnected', host, at, { host, session }, { actor: `host:${host}` })])
  })
}

/** Throws SW_CONFLICT unless the session holds its lease, and until the transaction ends nobody can take it. */
export async function assertSession(tx: Tx, host: string, session: string): Promise<void> {
  if (!(await holdsHostLease(tx, host, session))) throw over(host)
}

function gone(host: string) {
  return fail('SW_UNAUTHENTICATED', `there is no host ${host} any more`, { remedy: 'join again with a new token' })
}

function over(host: string) {
  return fail('SW_CONFLICT', `this session of host ${host} is over`, {
    remedy: 'end every agent there, and begin another session',
  })
}
